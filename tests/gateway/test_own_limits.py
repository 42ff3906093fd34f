"""Keys of the same limits share them, each counted apart; what counts nothing is let go."""

from pathlib import Path

import pytest
from tests.gateway.rig import gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import Moment
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Raise
from tidegate.gateway import own_limits
from tidegate.gateway.own_limits import IDLE_S, OwnLimits
from tidegate.stores.memory_counters import memory_counters

START = Moment(0.0, 1e9)


def test_the_same_limits_are_counted_by_the_same_counters_apart_by_key() -> None:
    own = OwnLimits(memory_counters)
    (one,) = own.of(KeyLimits(max_parallel_requests=1))
    (same,) = own.of(KeyLimits(max_parallel_requests=1))
    (other,) = own.of(KeyLimits(max_parallel_requests=2))
    assert one is same and one is not other
    assert one.counters is not None
    assert one.counters.take("aaaaaaaa", 1, START) is not None
    assert one.counters.take("aaaaaaaa", 1, START) is None
    assert one.counters.take("bbbbbbbb", 1, START) is not None


def test_a_limit_is_let_go_once_nothing_was_counted_for_a_while() -> None:
    own = OwnLimits(memory_counters)
    (it,) = own.of(KeyLimits(max_parallel_requests=1))
    assert it.counters is not None
    ticket = it.counters.take("aaaaaaaa", 1, START)
    assert ticket is not None
    assert not own.sweep(Moment(10 * IDLE_S, 1e9))
    it.counters.give_back("aaaaaaaa", ticket, 1, 0, Moment(10 * IDLE_S, 1e9))
    assert not own.sweep(Moment(11 * IDLE_S, 1e9))
    assert own.of(KeyLimits(max_parallel_requests=1)) == (it,)
    assert own.sweep(Moment(12 * IDLE_S + 1, 1e9))
    assert own.of(KeyLimits(max_parallel_requests=1)) != (it,)


def test_a_raise_of_a_key_s_budget_lapses_by_itself() -> None:
    own = OwnLimits(memory_counters)
    (it,) = own.of(KeyLimits(100, "year", raises=(Raise(50, 2e9),)))
    assert it.counters is not None
    before = Moment(0.0, 2e9 - 1)
    own.sweep(before)
    assert it.counters.read("aaaaaaaa", 1, before).allowed == 150
    own.sweep(Moment(1.0, 2e9))
    assert it.counters.read("aaaaaaaa", 1, Moment(1.0, 2e9)).allowed == 100


def test_beyond_the_bound_a_key_s_limits_cannot_be_kept_and_its_requests_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_limits, "MAX_OWN", 2)
    own = OwnLimits(memory_counters)
    own.of(KeyLimits(max_parallel_requests=1, requests_per_minute=1))
    own.of(KeyLimits(max_parallel_requests=1))
    with pytest.raises(Refusal) as refused:
        own.of(KeyLimits(max_parallel_requests=2))
    assert refused.value.code.name == "limits_unavailable"


def test_a_key_is_held_to_its_own_limits_and_another_key_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port)) as it:
            month = {"budget_nanousd": 10**9, "budget_unit": "month"}
            held = it.store.add(limits=KeyLimits(requests_per_minute=1, **month))
            own = {"authorization": f"Bearer {held}"}
            assert (await it.ask(headers=own)).status == 200
            no = await it.ask(headers=own)
            assert (no.status, no.json["error"]["limit"]["limit"]) == (429, "key:requests")
            assert (await it.ask()).status == 200
            usage = await it.ask("/v1/usage", method="GET", headers=own)
            rows = {row["limit"]: row for row in usage.json["data"]}
            assert rows["key:requests"]["used"] == 1
            assert rows["key:budget"]["used"] == "0.000021000"
            holds = {hold.limit: hold.used for hold in it.receipts()[0].holds}
            assert holds == {"key:requests": 1, "key:budget": 21_000}

    run(main())
