"""Keys of the same limits share them, each counted apart; what counts nothing is let go."""

from pathlib import Path
from typing import Any, cast

import pytest
from tests.gateway.rig import gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import Moment, Seeded
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Raise
from tidegate.gateway import own_limits
from tidegate.gateway.holding import moment
from tidegate.gateway.own_limits import IDLE_S, OwnLimits
from tidegate.stores.memory_counters import memory_counters

START = Moment(0.0, 1e9)
KEY = "aaaaaaaa"


def test_the_same_limits_are_counted_by_the_same_counters_apart_by_key() -> None:
    own = OwnLimits(memory_counters)
    (one,) = own.of(KeyLimits(max_parallel_requests=1), KEY)
    (same,) = own.of(KeyLimits(max_parallel_requests=1), KEY)
    (other,) = own.of(KeyLimits(max_parallel_requests=2), "bbbbbbbb")
    assert one is same and one is not other
    assert one.counters is not None
    assert one.counters.take(KEY, 1, START) is not None
    assert one.counters.take(KEY, 1, START) is None
    assert one.counters.take("bbbbbbbb", 1, START) is not None


def test_a_limit_is_let_go_once_nothing_was_counted_for_a_while() -> None:
    own = OwnLimits(memory_counters)
    (it,) = own.of(KeyLimits(max_parallel_requests=1), KEY)
    assert it.counters is not None
    ticket = it.counters.take(KEY, 1, START)
    assert ticket is not None
    assert not own.sweep(Moment(10 * IDLE_S, 1e9))
    it.counters.give_back(KEY, ticket, 1, 0, Moment(10 * IDLE_S, 1e9))
    assert not own.sweep(Moment(11 * IDLE_S, 1e9))
    assert own.of(KeyLimits(max_parallel_requests=1), KEY) == (it,)
    assert own.sweep(Moment(12 * IDLE_S + 1, 1e9))
    assert own.of(KeyLimits(max_parallel_requests=1), KEY) != (it,)


def test_a_raise_of_a_key_s_budget_lapses_by_itself() -> None:
    own = OwnLimits(memory_counters)
    (it,) = own.of(KeyLimits(100, "year", raises=(Raise(50, 2e9),)), KEY)
    assert it.counters is not None
    before = Moment(0.0, 2e9 - 1)
    own.sweep(before)
    assert it.counters.read(KEY, 1, before).allowed == 150
    own.sweep(Moment(1.0, 2e9))
    assert it.counters.read(KEY, 1, Moment(1.0, 2e9)).allowed == 100


def test_beyond_the_bound_a_key_s_limits_cannot_be_kept_and_its_requests_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_limits, "MAX_OWN", 2)
    own = OwnLimits(memory_counters)
    own.of(KeyLimits(max_parallel_requests=1, requests_per_minute=1), KEY)
    own.of(KeyLimits(max_parallel_requests=1), KEY)
    with pytest.raises(Refusal) as refused:
        own.of(KeyLimits(max_parallel_requests=2), "bbbbbbbb")
    assert refused.value.code.name == "limits_unavailable"


@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute"])
def test_a_rate_that_is_changed_keeps_what_it_has_counted(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(own_limits, "moment", lambda: START)
    own = OwnLimits(memory_counters)
    used = 0
    for amount, most in ((10, 10), (12, 12), (None, 12), (16, 16), (10, 16), (11, 16)):
        if amount is None:  # taken away meanwhile
            own.of(KeyLimits(max_parallel_requests=1), KEY)
            continue
        (it,) = own.of(KeyLimits(**{name: amount}), KEY)
        assert it.counters is not None
        assert it.counters.read(KEY, 1, START).used == used
        while it.counters.take(KEY, 1, START) is not None:
            used += 1
        assert used == most
        assert it.counters.read("bbbbbbbb", 1, START).used == 0


def test_what_is_in_flight_counts_in_a_changed_bound_and_leaves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_limits, "moment", lambda: START)
    own = OwnLimits(memory_counters)
    (two,) = own.of(KeyLimits(max_parallel_requests=2), KEY)
    assert two.counters is not None
    tickets = [two.counters.take(KEY, 1, START) for _ in range(2)]
    (three,) = own.of(KeyLimits(max_parallel_requests=3), KEY)
    (one,) = own.of(KeyLimits(max_parallel_requests=1), KEY)
    assert three.counters is not None and one.counters is not None
    assert one.counters.read(KEY, 1, START).used == 2
    for ticket, left in zip(tickets, (1, 0), strict=True):
        assert ticket is not None
        two.counters.give_back(KEY, ticket, 1, 0, START)
        assert one.counters.read(KEY, 1, START).used == left
    assert len(two.counters) == len(three.counters) == len(one.counters) == 0


def test_of_keys_that_were_not_seen_for_long_nothing_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_limits, "MAX_REMEMBERED", 1)
    own = OwnLimits(memory_counters)
    for key_id in (KEY, "bbbbbbbb"):
        (it,) = own.of(KeyLimits(requests_per_minute=1), key_id)
        assert it.counters is not None
        it.counters.take(key_id, 1, moment())
    used = {}
    for key_id in ("bbbbbbbb", KEY):
        (it,) = own.of(KeyLimits(requests_per_minute=2), key_id)
        assert it.counters is not None
        used[key_id] = it.counters.read(key_id, 1, moment()).used
    assert used == {"bbbbbbbb": 1, KEY: 0}


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


@pytest.mark.parametrize("length", [{"budget_unit": "day"}, {"budget_s": 60.0}])
def test_a_budget_that_others_have_had_knows_nothing_of_a_key_that_comes_to_it(
    length: dict[str, Any],
) -> None:
    own = OwnLimits(memory_counters)
    small, large = KeyLimits(100, **length), KeyLimits(500, **length)
    later = Moment(2 * 86_400.0, 1e9 + 2 * 86_400.0)
    for limits, key in ((small, KEY), (large, "bbbbbbbb")):
        (it,) = own.of(limits, key)
        assert it.counters is not None and it.knows is not None
        cast(Seeded, it.counters).seed(key, [], START)
        assert it.knows(key, START) and it.knows(key, later)  # a period under our eyes
    (small_one,), (large_one,) = own.of(small, KEY), own.of(large, "bbbbbbbb")
    assert small_one.counters is not None and small_one.counters.take(KEY, 90, later) is not None
    assert own.of(large, KEY) == (large_one,)
    counters = cast(Seeded, large_one.counters)
    assert not counters.knows(KEY, later) and counters.knows("bbbbbbbb", later)
    counters.seed(KEY, [(later.wall_s, 90)], later)
    assert counters.knows(KEY, later) and counters.read(KEY, 1, later).used == 90
    assert counters.take(KEY, 100, later) is not None
    own.of(small, KEY)  # back, with more spent than was counted there
    assert not cast(Seeded, small_one.counters).knows(KEY, later)
