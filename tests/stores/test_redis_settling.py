import asyncio
from typing import Any

from tests.stores.redis_rig import budget, run, want

from tidegate.stores import redis_settling
from tidegate.stores.redis_scripts import Scripts
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_wire import RedisRefused, RedisUnavailable, Reply


class FakeEpoch:
    token: str | None = "1.a.life"
    name = "1.a"
    space = ""

    def __init__(self) -> None:
        self.joined: list[str | None] = []

    async def join(self, link: Any, group: str | None) -> None:
        self.joined.append(group)


class FakeLink:
    open = True

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, asyncio.Future[Reply]]] = []

    def send(self, command: bytes) -> asyncio.Future[Reply]:
        if not self.open:
            raise RedisUnavailable("away")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.sent.append((command, future))
        return future

    async def answer(self, *replies: Reply) -> None:
        """Answers what was sent, in order, and lets it be heard."""
        for reply in replies:
            _, future = self.sent.pop(0)
            if isinstance(reply, RedisUnavailable):
                future.set_exception(reply)
            else:
                future.set_result(reply)
        await asyncio.sleep(0)


class Lot:
    def __init__(self) -> None:
        self.heard: list[bool] = []

    def arrived(self, tight: bool) -> None:
        self.heard.append(tight)


def made() -> tuple[Settling, FakeLink, FakeEpoch]:
    link, epoch = FakeLink(), FakeEpoch()
    return Settling(link, Scripts(), epoch), link, epoch  # type: ignore[arg-type]


def entry(name: str, group: str | None = "a", lot: Lot | None = None) -> Return:
    return Return(want(budget(9), 1, "s", group), name, 1, lot=lot)


def names(command: bytes) -> list[str]:
    return [word.decode() for word in command.split(b"\r\n") if word.startswith(b"hold")]


def test_what_comes_together_goes_together_by_group() -> None:
    async def main() -> None:
        settling, link, _ = made()
        for n in range(70):
            settling.add(entry(f"hold{n}"))
        settling.add(entry("hold-b", "b"))
        assert not link.sent
        await asyncio.sleep(3 * redis_settling.FLUSH_S)
        assert [len(names(command)) for command, _ in link.sent] == [64, 6, 1]
        assert len(settling) == 71
        await link.answer([1, *[0] * 64], [1, *[0] * 6], [1, 0])
        assert len(settling) == 0

    run(main())


def test_what_is_in_doubt_is_sent_again_in_its_order_before_the_rest() -> None:
    async def main() -> None:
        settling, link, _ = made()
        for name in ("hold1", "hold2"):
            settling.add(entry(name))
            settling.flush()
        await link.answer(RedisUnavailable("broke"), RedisUnavailable("broke"))
        link.open = False
        settling.add(entry("hold3"))
        settling.flush()
        assert not link.sent
        settling.flush(opening=True)
        assert not link.sent, "it was not open after all"
        link.open = True
        settling.flush()
        assert [names(command) for command, _ in link.sent] == [["hold1", "hold2", "hold3"]]

    run(main())


def test_a_sick_server_is_asked_again_and_an_error_of_ours_is_not() -> None:
    async def main() -> None:
        settling, link, _ = made()
        lots = [Lot(), Lot(), Lot()]
        for n, reply in enumerate([RedisRefused("OOM full"), RedisRefused("ERR odd"), [1, 1]]):
            settling.add(entry(f"hold{n}", lot=lots[n]))
            settling.flush()
            await link.answer(reply)
            if n == 0:
                assert len(settling) == 1
                settling._doubtful.clear()
        assert settling.lost == 1
        assert [lot.heard for lot in lots] == [[], [False], [True]]

    run(main())


def test_a_group_that_has_no_epoch_joins_it_and_is_told_then() -> None:
    async def main() -> None:
        settling, link, epoch = made()
        settling.add(entry("hold1"))
        settling.flush()
        await link.answer([-1])
        assert not link.sent
        await settling.mend()
        assert epoch.joined == ["a"]
        assert names(link.sent[0][0]) == ["hold1"]

    run(main())


def test_nothing_is_sent_while_the_counters_are_not_good_and_then_as_unknown() -> None:
    async def main() -> None:
        settling, link, epoch = made()
        epoch.token = None
        waiting = entry("hold1")
        settling.add(waiting)
        settling.flush()
        assert not link.sent
        epoch.token = "2.b.life"
        settling.again()
        settling.flush()
        assert waiting.unknown
        assert len(link.sent) == 1

    run(main())


def test_what_waits_has_a_bound_and_what_falls_out_is_counted(monkeypatch: Any) -> None:
    async def main() -> None:
        monkeypatch.setattr(redis_settling, "_MAX_WAITING", 2)
        settling, link, _ = made()
        link.open = False
        lot = Lot()
        settling.add(entry("hold0", lot=lot))
        for n in (1, 2):
            settling.add(entry(f"hold{n}"))
        assert (len(settling), settling.lost, lot.heard) == (2, 1, [False])

    run(main())
