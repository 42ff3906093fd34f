"""A place for a request: taken, waited for in company, given back with what was learnt."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway import virtual
from tests.gateway.prepared import ASK
from tests.gateway.rig import plan_of, target

from tidegate.core import clock
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.core.receipt import Attempt, Receipt
from tidegate.core.resilience import Deadlines
from tidegate.gateway.decline import decline
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.pick import Queues, leave, pick, told
from tidegate.gateway.places import FIRST_WATCHED, Places
from tidegate.gateway.pressure import Pressure
from tidegate.gateway.progress import Progress
from tidegate.gateway.stream import KEEPALIVE

HEAD = b"HTTP/1.1 200 OK\r\n"
ONE = Queueing(max_in_flight=1, max_wait_s=100.0)


@pytest.fixture(autouse=True)
def _virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "monotonic_s", virtual.now_s)


class Line:
    """A client's connection, as far as a waiting request uses it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.lost = False

    def start(self, head: bytes, first: bytes) -> None:
        self.sent += [head, first]

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def cut(self, last: bytes) -> None:
        self.sent += [last, b"cut"]


def asked(**fields: Any) -> Progress:
    connection: Any = Line()
    receipt = Receipt("i", 0.0, "g", "chat", team="a", input_bytes=400, **fields)
    progress = Progress(receipt, connection, virtual.now_s(), lambda: None)
    progress.head, progress.ask = (lambda *_: HEAD), ASK
    return progress


def called(progress: Progress, **fields: Any) -> InFlight:
    attempt = Attempt("t", "r", 0.0, status=200)
    call = InFlight(attempt, Deadlines(), progress.receipt.stream, virtual.now_s(), **fields)
    progress.call = call
    return call


def one_place() -> tuple[Queues, Places]:
    queues = Queues()
    queues.obey(plan_of(target(1, queueing=ONE)))
    ((name, places),) = queues
    assert name == "small"
    return queues, places


def test_a_place_is_kept_on_the_request_and_given_back_once() -> None:
    async def main() -> None:
        _, places = one_place()
        progress = asked()
        await pick(progress, places, None)
        assert (places.in_flight, progress.queued_s) == (1, 0.0)
        leave(progress, progress.receipt.error_code)
        leave(progress, progress.receipt.error_code)
        assert (places.in_flight, progress.place) == (0, None)

    virtual.run(main())


def test_who_waits_long_for_a_stream_is_kept_company_and_then_told_as_an_event() -> None:
    async def main() -> None:
        queues, places = one_place()
        await pick(asked(), places, None)
        progress = asked(stream=True)
        sweeper = virtual.sweeping(lambda now_s: queues.sweep(now_s, 15.0, Pressure()))
        with pytest.raises(Refusal) as refused:
            await pick(progress, places, None)
        sweeper.cancel()
        assert progress.queued_s == pytest.approx(100.0, abs=0.2)
        line: Any = progress.connection
        assert line.sent == [HEAD, *[KEEPALIVE] * 6]
        decline(progress, refused.value)
        progress.ending()
        assert line.sent[-1] == b"cut"
        assert line.sent[-2].startswith(b'data: {"error"')
        assert (progress.receipt.status, progress.receipt.interrupted) == (200, True)

    virtual.run(main())


def test_who_waits_for_a_whole_answer_hears_nothing_before_it() -> None:
    async def main() -> None:
        queues, places = one_place()
        await pick(asked(), places, None)
        progress = asked()
        sweeper = virtual.sweeping(lambda now_s: queues.sweep(now_s, 15.0, Pressure()))
        with pytest.raises(Refusal):
            await pick(progress, places, None)
        sweeper.cancel()
        assert progress.connection.sent == []  # type: ignore[attr-defined]
        assert not progress.begun

    virtual.run(main())


def test_a_deadline_counts_from_the_request_s_arrival() -> None:
    async def main() -> None:
        queues, places = one_place()
        await pick(asked(), places, None)
        progress = asked()
        progress.received_s -= 5.0
        sweeper = virtual.sweeping(lambda now_s: queues.sweep(now_s, 15.0, Pressure()))
        with pytest.raises(Refusal) as refused:
            await pick(progress, places, 8.0)
        sweeper.cancel()
        assert refused.value.code.name == "deadline_too_short"
        assert virtual.now_s() == pytest.approx(3.0, abs=0.2)

    virtual.run(main())


def test_a_gateway_short_of_memory_sends_the_lowest_away_from_the_line() -> None:
    async def main() -> None:
        queues, places = one_place()
        await pick(asked(), places, None)
        pressure = Pressure()
        pressure.memory(0.9)
        sweeper = virtual.sweeping(lambda now_s: queues.sweep(now_s, 15.0, pressure))
        with pytest.raises(Refusal, match="short of memory"):
            await pick(asked(priority="batch"), places, None)
        sweeper.cancel()
        assert places.entrance.shed == {"pressure": 1}

    virtual.run(main())


def test_first_tokens_whole_answers_and_push_backs_are_told_each_once() -> None:
    async def main() -> None:
        queues = Queues()
        queues.obey(plan_of(target(1)))
        ((_, places),) = queues
        before = places.limit.limit
        for stream, fields in (
            (True, {"first_s": 1.0}),
            (False, {"ended_s": 2.0}),
        ):
            progress = asked(stream=stream, output_tokens=100)
            await pick(progress, places, None)
            called(progress, sent_s=0.5, **fields)
            place = progress.place
            assert place is not None
            on_first = told(progress)
            assert on_first is not None
            if stream:
                on_first(1.0)
                assert place.told
                assert places.unanswered == 0
            leave(progress, progress.receipt.error_code)
            assert place.told
        assert len(places.limit._usual) == 2, "streams and whole answers are of two kinds"
        progress = asked(error_code="upstream_rate_limited")
        await pick(progress, places, None)
        called(progress, sent_s=0.5, ended_s=1.0)
        leave(progress, progress.receipt.error_code)
        assert places.limit.limit < before

    virtual.run(main())


def test_what_was_learnt_and_who_waits_outlives_a_plan() -> None:
    async def main() -> None:
        queues, places = one_place()
        await pick(asked(), places, None)
        queues.obey(plan_of(target(1, queueing=replace(ONE, max_in_flight=3)), version=2))
        assert queues.at(target(1)) is places
        assert (places.limit.limit, places.in_flight) == (3, 1)

    virtual.run(main())


def test_a_target_that_a_plan_has_no_more_keeps_its_line_until_it_is_empty() -> None:
    async def main() -> None:
        queues, places = one_place()
        first, second = asked(), asked(stream=True)
        await pick(first, places, None)
        waiting = asyncio.create_task(pick(second, places, None))
        await asyncio.sleep(0)
        queues.obey(plan_of(target(1, name="other"), version=2))
        sweeper = virtual.sweeping(lambda now_s: queues.sweep(now_s, 15.0, Pressure()))
        await asyncio.sleep(20)
        line: Any = second.connection
        assert line.sent == [HEAD, KEEPALIVE], "its client still hears of it"
        assert queues.at(target(1)) is places, "for one that had its plan before the last"
        leave(first, first.receipt.error_code)
        await waiting
        assert [name for name, _ in queues] == ["small", "other"]
        leave(second, second.receipt.error_code)
        await asyncio.sleep(1)
        assert [name for name, _ in queues] == ["other"]
        sweeper.cancel()

    virtual.run(main())


def test_a_process_that_was_stopped_sends_nobody_away_for_it() -> None:
    """F6. Its ticker does not come round; then all that were in line are still there."""

    async def main() -> None:
        queues, places = one_place()
        first, second = asked(), asked()
        await pick(first, places, None)
        waiting = asyncio.create_task(pick(second, places, None))
        await asyncio.sleep(0)
        queues.sweep(0.0, 15.0, Pressure())
        await asyncio.sleep(300)
        queues.sweep(300.0, 15.0, Pressure())
        await asyncio.sleep(0)
        assert not waiting.done()
        leave(first, first.receipt.error_code)
        await waiting
        assert second.queued_s == 300.0

    virtual.run(main())


def test_who_leaves_while_it_waits_is_forgotten_and_the_next_one_is_served() -> None:
    async def main() -> None:
        _, places = one_place()
        first, gone, last = asked(), asked(), asked()
        await pick(first, places, None)
        waiting = [asyncio.create_task(pick(one, places, None)) for one in (gone, last)]
        await asyncio.sleep(2)
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        assert (gone.place, gone.queued_s, places.line.count) == (None, 2.0, 1)
        leave(gone, gone.receipt.error_code)
        leave(first, first.receipt.error_code)
        await waiting[1]
        assert last.place is not None

    virtual.run(main())


def test_most_requests_at_a_calm_target_leave_nothing_to_tell() -> None:
    async def main() -> None:
        queues = Queues()
        queues.obey(plan_of(target(1)))
        ((_, places),) = queues
        for _ in range(FIRST_WATCHED + 1):
            await pick(asked(), places, None)
            places.in_flight = 0
        progress = asked(stream=True)
        await pick(progress, places, None)
        called(progress, sent_s=0.5)
        assert progress.place is places.unwatched
        assert told(progress) is None
        other = asked()
        places.in_flight = places.limit.most
        waiting = asyncio.create_task(pick(other, places, None))
        await asyncio.sleep(0)
        progress.receipt.error_code = "upstream_overloaded"
        before = places.limit.limit
        leave(progress, progress.receipt.error_code)
        assert places.limit.limit < before, "what it says is heard nevertheless"
        places.in_flight = 0
        places.left(virtual.now_s())
        await waiting

    virtual.run(main())
