"""Deadlines: each one, at invented times; and what passes none."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.upstream import Upstream, stalling, whole

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import HttpBounds, Queueing
from tidegate.core.receipt import Attempt
from tidegate.core.resilience import Deadlines
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.in_flight import InFlight, translate

STREAM = {**HELLO, "stream": True}
NO_COMMENTS = HttpBounds(keepalive_comment_s=1000)
TIMES = Deadlines(connect_s=5, first_token_s=60, gap_s=30, total_s=600)


@pytest.mark.parametrize(
    ("tokens", "stream", "late_s", "early_s"),
    [
        (None, True, 61, 59),  # not even a head
        (0, True, 61, 59),  # a head and no token
        (2, True, 31, 29),  # a gap
        (None, False, 601, 599),  # a whole answer
    ],
)
def test_a_deadline_fails_what_is_late_and_nothing_before(
    tmp_path: Path, tokens: int | None, stream: bool, late_s: float, early_s: float
) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(tokens)) as up,
            gateway(tmp_path, target(up.port, deadlines=TIMES), http=NO_COMMENTS) as it,
        ):
            asking = asyncio.ensure_future(it.ask(body={**HELLO, "stream": stream}))
            exchange = await up.arrived()
            if tokens is not None:
                await until(lambda: it.world.relays)
                await until(lambda: all(r.chunks == tokens for r in it.world.relays))
            now_s = clock.monotonic_s()
            it.world.sweep(now_s + early_s)
            await asyncio.sleep(0.01)
            assert not exchange.closed.is_set()
            it.world.sweep(now_s + late_s)
            await exchange.closed.wait()
            reply, receipt = await asking, await it.receipt()
            assert receipt.error_code == "upstream_timeout"
            assert receipt.cancelled_by == "deadline"
            assert receipt.attempts[0].failure == "timeout"
            if tokens:
                assert (reply.status, reply.whole, receipt.interrupted) == (200, False, True)
                assert b'"upstream_timeout"' in reply.events[-1]
                assert receipt.output_tokens == tokens
            else:
                assert (reply.status, reply.code) == (504, "upstream_timeout")

    run(main())


def test_a_long_stream_that_goes_on_is_ended_by_the_total_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(3)) as up,
            gateway(tmp_path, target(up.port, deadlines=TIMES)) as it,
        ):
            asking = asyncio.ensure_future(it.ask(body=STREAM))
            await up.arrived()
            await until(lambda: any(r.chunks == 3 for r in it.world.relays))
            [call] = it.world.calls
            call.last_s = clock.monotonic_s() + 590
            it.world.sweep(clock.monotonic_s() + 595)
            await asyncio.sleep(0.01)
            assert not asking.done()
            it.world.sweep(clock.monotonic_s() + 601)
            await asking
            receipt = await it.receipt()
            assert "not whole within 600 s" in (receipt.error_message or "")

    run(main())


def test_a_client_that_reads_slowly_is_no_gap_of_the_provider_s() -> None:
    class Paused:
        paused = True
        resumed_s = 0.0

        def fail(self, error: UpstreamError) -> None:
            raise error

    call = InFlight(Attempt("t", "r", 0.0), TIMES, True, 0.0)
    call.upstream = Paused()  # type: ignore[assignment]
    call.sent_s = call.first_s = call.last_s = 0.0
    call.sweep(100.0)
    Paused.paused = False
    Paused.resumed_s = 99.0  # it has only begun to read again
    call.sweep(100.0)
    Paused.resumed_s = 0.0
    with pytest.raises(UpstreamError):
        call.sweep(100.0)


def test_a_line_for_a_place_has_an_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(None)) as up,
            gateway(tmp_path, target(up.port, max_connections=1)) as it,
        ):
            first = asyncio.ensure_future(it.ask())
            await up.arrived()
            ((_, places),) = it.world.queues
            second = asyncio.ensure_future(it.ask())
            await until(lambda: places.line.count == 1)
            it.world.sweep(clock.monotonic_s() + Queueing().max_wait_s + 1)
            reply = await second
            assert (reply.status, reply.code) == (503, "overloaded")
            assert reply.headers["retry-after"] == "1"
            receipt = await it.receipt()
            assert receipt.error_fault == "gateway"
            assert receipt.cost_nanousd == 0
            [pool] = it.preparer.pools.values()
            assert (pool.open, pool.waiting) == (1, 0)
            first.cancel()

    run(main())


@pytest.mark.parametrize(
    ("kind", "clean", "code"),
    [
        ("deadline", False, "upstream_timeout"),
        ("draining", False, "draining"),
        ("too_large", False, "upstream_too_large"),
        ("malformed", False, "upstream_malformed"),
        ("lost", True, "upstream_unreachable"),
        ("lost", False, "upstream_interrupted"),
    ],
)
def test_a_connection_s_error_in_the_house_s_words(kind: str, clean: bool, code: str) -> None:
    no = translate(UpstreamError(kind, "x", clean=clean))
    assert no.code.name == code
    assert isinstance(no, Refusal if kind == "draining" else Failure)


def test_an_answer_beyond_its_bound_is_cut_off(tmp_path: Path) -> None:
    async def main() -> None:
        script = whole(b'{"choices":[{"message":{"content":"' + b"x" * 50_000 + b'"}}]}')
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            it.world.max_response_bytes = 10_000
            reply = await it.ask()
            assert (reply.status, reply.code) == (502, "upstream_too_large")

    run(main())


def test_an_exchange_that_is_over_fails_nobody_who_has_its_connection_now() -> None:
    class Connection:
        resumed_s, paused = 0.0, False

        def __init__(self) -> None:
            self.failed = 0

        def send(self, request: bytes, max_bytes: int) -> None: ...

        def body(self) -> bytes:
            return b""

        def release(self) -> None: ...

        def fail(self, error: UpstreamError) -> None:
            self.failed += 1

    upstream = Connection()
    attempt = Attempt("small", "r0", 0.0)
    it = InFlight(attempt, TIMES, False, clock.monotonic_s())
    it.send(upstream, b"", 1)  # type: ignore[arg-type]
    it.take_body()
    it.sweep(clock.monotonic_s() + 601)
    it.cut_short()
    assert upstream.failed == 0


@pytest.mark.parametrize(
    ("streamed", "until", "passed"),
    [
        (True, "until_first_s", "had no first token within 5 s"),
        (True, "until_whole_s", "was not whole within 5 s"),
        (False, "until_whole_s", "was not whole within 5 s"),
    ],
)
def test_nobody_waits_beyond_what_its_caller_does(streamed: bool, until: str, passed: str) -> None:
    failed: list[UpstreamError] = []

    class Silent:
        paused = False
        resumed_s = 0.0

        def fail(self, error: UpstreamError) -> None:
            failed.append(error)

    call = InFlight(Attempt("t", "r", 0.0), TIMES, streamed, 10.0)
    call.upstream = Silent()  # type: ignore[assignment]
    call.sent_s = call.last_s = 11.0
    setattr(call, until, 15.0)
    call.sweep(14.9)
    assert not failed
    call.sweep(15.1)
    assert [(it.kind, str(it)) for it in failed] == [("deadline", f"the answer {passed}")]
    call.first_s = call.last_s = 14.0
    call.sweep(15.1)
    assert len(failed) == (1 if until == "until_first_s" else 2)
