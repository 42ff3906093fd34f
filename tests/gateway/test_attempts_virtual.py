"""When attempts follow each other, on virtual time: pauses, waits asked for, deadlines."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.gateway import virtual
from tests.gateway.rig import HELLO, Gateway, plan_of, target
from tests.gateway.routed import routed
from tests.gateway.wires import HEAD, WHOLE, Caller, Provider, WiredLoop

from tidegate.core import clock
from tidegate.core.plan import Contract
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Breaker, Retry
from tidegate.gateway import front, journal
from tidegate.gateway.http.server import Connection

GOOD = HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(WHOLE) + WHOLE
DOWN = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
RETRY = Retry(attempts=4, base_s=2.0, cap_s=5.0)


def throttled(wait_s: int) -> bytes:
    return b"HTTP/1.1 429 No\r\nretry-after: %d\r\ncontent-length: 0\r\n\r\n" % wait_s


class Scripted(Provider):
    """Gives these answers in turn, None being silence; writes down when it was asked."""

    def __init__(self, *answers: bytes | None) -> None:
        self._left = list(answers)
        self.asked_s: list[float] = []

    async def connect(self, factory: Any) -> Any:
        self._chance = _Never()  # type: ignore[assignment]
        return await super().connect(factory)

    def _answer(self, streamed: bool) -> list[bytes | None]:
        self.asked_s.append(virtual.now_s())
        answer = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        return [] if answer is None else [answer]


class _Never:
    """No chance: everything is at once."""

    def choice(self, options: list[float]) -> float:
        return options[0]


def attempts(
    tmp_path: Path,
    provider: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    requests: int = 1,
    **fields: Any,
) -> list[Receipt]:
    """The receipts of so many requests, one each `every_s`; `timeout` is their callers' own."""
    every_s, timeout = fields.pop("every_s", 0.0), fields.pop("timeout", None)
    contract = fields.pop("contract", None)
    monkeypatch.setattr(clock, "monotonic_s", virtual.now_s)
    monkeypatch.setattr(clock, "fraction", lambda: 0.5)
    monkeypatch.setattr(journal, "_sync", lambda file: None)

    async def main() -> list[Receipt]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WiredLoop)
        loop.provider = provider
        it = Gateway(tmp_path, journal.JournalBounds(), {})
        it.journal.open()
        small = target(1, **fields)
        assert await it.obey(plan_of(small, routes=routed(small, retry=RETRY, contract=contract)))
        sweeper = virtual.sweeping(it.world.sweep)
        answer = front.Front(it.world).answer
        sent = {"authorization": f"Bearer {it.key}"}
        if timeout is not None:
            sent["x-tidegate-timeout"] = timeout
        for number in range(1, requests + 1):
            caller = Caller(Connection(it.world.listener, answer))
            caller.ask(it.request(body=HELLO, headers=sent))
            while len(it.receipts()) < number:  # noqa: ASYNC110 - nothing announces one
                await asyncio.sleep(0.05)
            caller.leave()
            await asyncio.sleep(every_s)
        await asyncio.sleep(1.0)
        sweeper.cancel()
        for pool in it.preparer.pools.values():
            pool.close()
        await it.journal.close()
        it.world.keys.close()
        return it.receipts()

    with asyncio.Runner(loop_factory=WiredLoop) as runner:
        return runner.run(main())


def gaps(provider: Scripted) -> list[float]:
    return [after - before for before, after in itertools.pairwise(provider.asked_s)]


def test_pauses_double_and_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Scripted(DOWN, DOWN, DOWN, GOOD)
    [receipt] = attempts(tmp_path, provider, monkeypatch)
    assert gaps(provider) == pytest.approx([1.0, 2.0, 2.5], abs=0.01)
    assert receipt.status == 200
    assert receipt.earlier_s == pytest.approx(5.5, abs=0.05)
    assert receipt.gateway_s == pytest.approx(0.0, abs=0.05)


def test_a_wait_that_was_asked_for_is_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Scripted(throttled(3), GOOD)
    [receipt] = attempts(tmp_path, provider, monkeypatch)
    assert gaps(provider) == pytest.approx([3.0 + 1.0], abs=0.01)
    assert receipt.status == 200


def test_a_wait_beyond_the_caller_s_patience_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Scripted(throttled(3), GOOD)
    [receipt] = attempts(tmp_path, provider, monkeypatch, timeout="3.5")
    assert len(provider.asked_s) == 1
    assert receipt.error_code == "upstream_rate_limited"
    assert receipt.total_s == pytest.approx(0.0, abs=0.05)


def test_the_caller_s_own_deadline_ends_an_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Scripted(None)
    [receipt] = attempts(tmp_path, provider, monkeypatch, timeout="2.5")
    assert receipt.error_code == "upstream_timeout"
    assert receipt.total_s == pytest.approx(2.5, abs=0.2)


def test_the_caller_s_own_deadline_ends_a_second_attempt_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = Contract(json=True, on_violation="retry")
    provider = Scripted(GOOD, None)
    [receipt] = attempts(tmp_path, provider, monkeypatch, timeout="2.5", contract=contract)
    assert gaps(provider) == pytest.approx([0.0], abs=0.01), "there is nothing to wait for"
    assert [one.failure for one in receipt.attempts] == ["malformed", "timeout"]
    assert [one.validity for one in receipt.attempts] == ["malformed", None]
    assert receipt.error_code == "upstream_timeout"
    assert receipt.total_s == pytest.approx(2.5, abs=0.2)


def test_an_open_breaker_is_tried_once_its_time_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Breaker(failures=2, open_s=30.0, when_all_open="refuse")
    provider = Scripted(DOWN, DOWN, GOOD)
    receipts = attempts(tmp_path, provider, monkeypatch, requests=4, breaker=rules, every_s=20.0)
    assert [len(receipt.attempts) for receipt in receipts] == [2, 0, 1, 1]
    assert [receipt.status for receipt in receipts] == [502, 503, 200, 200]
    assert receipts[1].error_code == "upstream_overloaded"
