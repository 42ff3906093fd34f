from typing import Any

import pytest
from tests.stores.redis_rig import budget, run, want

from tidegate.stores.redis_asking import Asked, Asking, by_group, first_hard
from tidegate.stores.redis_scripts import Scripts
from tidegate.stores.redis_settling import Return
from tidegate.stores.redis_wants import Away, Granted, Refused, Unlearnt
from tidegate.stores.redis_wire import RedisUnavailable, Reply

TAKEN: list[Reply] = [1, 1, 1, 0, 0, 0]


class FakeEpoch:
    token: str | None = "1.a.life"
    name = "1.a"
    space = ""
    joined = 0

    async def join(self, link: Any, group: str | None) -> None:
        self.joined += 1


class FakeLink:
    open = True

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.commands: list[bytes] = []

    async def ask(self, command: bytes) -> Reply:
        self.commands.append(command)
        if not self.replies:
            raise RedisUnavailable("no answer")
        return self.replies.pop(0)


class Noted:
    """What is told to be given back."""

    def __init__(self) -> None:
        self.entries: list[Return] = []

    def add(self, entry: Return) -> None:
        self.entries.append(entry)


def asked(group: str | None = "a", place: int = 0) -> Asked:
    return place, want(budget(9), 1, "s", group), b""


def made(*replies: Reply) -> tuple[Asking, FakeLink, FakeEpoch]:
    link, epoch = FakeLink(*replies), FakeEpoch()
    return Asking(link, Scripts(), epoch, Noted()), link, epoch  # type: ignore[arg-type]


def test_only_a_hard_limit_holds_up_what_cannot_be_asked() -> None:
    soft = want(budget(9, hard=False), 1)
    assert first_hard([(0, soft, b""), (3, want(budget(9)), b"")]) == Away(3)
    assert first_hard([(0, soft, b"")]) is None


def test_teams_come_before_what_all_share_and_each_is_one_script() -> None:
    groups = by_group([asked(None, 0), asked("b", 1), asked(None, 2), asked("a", 3)])
    assert [group for group, _ in groups][-1] is None
    assert [[place for place, _, _ in some] for _, some in groups] == [[1], [3], [0, 2]]


def test_a_group_without_an_epoch_joins_it_and_is_asked_again() -> None:
    async def main() -> None:
        asking, link, epoch = made([-1], TAKEN)
        granted = await asking.ask("a", [asked()])
        assert isinstance(granted, list)
        assert [type(one) for one in granted] == [Granted]
        assert (epoch.joined, len(link.commands)) == (1, 2)

    run(main())


def test_a_group_that_stays_strange_is_away() -> None:
    async def main() -> None:
        asking, _, _ = made([-1], [-1])
        with pytest.raises(RedisUnavailable):
            await asking.ask("a", [asked()])

    run(main())


def test_nothing_is_asked_while_the_counters_are_not_good() -> None:
    async def main() -> None:
        asking, link, epoch = made()
        epoch.token = None
        with pytest.raises(RedisUnavailable):
            await asking.ask("a", [asked()])
        assert not link.commands

    run(main())


def test_a_refusal_names_the_place_among_all_that_was_wanted() -> None:
    async def main() -> None:
        asking, _, _ = made([0, 1, 9, 0, 0])
        refused = await asking.ask("a", [asked(place=2), asked(place=5)])
        assert isinstance(refused, Refused)
        assert refused.index == 5

    run(main())


def test_who_has_to_learn_its_past_first_is_named_by_its_place_too() -> None:
    async def main() -> None:
        asking, _, _ = made([-2, 1])
        assert await asking.take("r", "a", [asked(place=2), asked(place=5)]) == Unlearnt(5)
        assert asking.passed == 0

    run(main())


def test_what_may_have_been_taken_is_given_back_and_what_was_not_asked_is_not() -> None:
    async def main() -> None:
        asking, link, _ = made()
        noted: Any = asking._settling
        soft = (0, want(budget(9, hard=False), 1, "s", "a"), b"")
        link.open = False
        assert await asking.take("r1", "a", [soft]) is None
        assert await asking.take("r2", "a", [soft, asked(place=1)]) == Away(1)
        assert (asking.passed, noted.entries) == (1, [])
        link.open = True
        assert await asking.take("r3", "a", [asked(place=7)]) == Away(7)
        assert [entry.id for entry in noted.entries] == ["r3"]

    run(main())
