"""The limits of a plan are bound, kept over plans, and gathered for each key on each route."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.shared import FakeCounters, store_of

from tidegate.core.database_ref import CounterStore
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.limit import Moment, Shape
from tidegate.core.plan import Limit, Plan, Raise
from tidegate.core.plugs import PlugError
from tidegate.core.receipt import Receipt
from tidegate.gateway import bound as bounds
from tidegate.gateway.bound import Binder
from tidegate.gateway.in_force import InForce
from tidegate.gateway.own_limits import IDLE_S, OwnLimits
from tidegate.gateway.shared_store import SharedStore
from tidegate.stores.memory_counters import memory_counters

LATER_S = 4e9
MONEY = Limit("all", "spend", 100, unit="year", raises=(Raise(50, LATER_S), Raise(7, LATER_S + 9)))
CALM = Limit("calm", "requests", 5, ("team",), (("route", "chat"),), per_s=60.0)


def plan(*limits: Limit) -> Plan:
    return Plan(1, "d", 0.0, {}, limits=limits)


def key(**fields: Any) -> KeyRecord:
    plain: dict[str, Any] = {"id": "aaaaaaaa", "team": "growth", "routes": ("*",)}
    return KeyRecord(**{**plain, **fields}, digest=b"", pepper_version=1, name="k", created_at_s=0)


def receipt(**fields: Any) -> Receipt:
    plain: dict[str, Any] = {"route": "chat", "team": "growth", "key_id": "aaaaaaaa"}
    return Receipt("r", 0.0, "g", "chat", **{**plain, **fields})


def binder() -> Binder:
    return Binder(memory_counters, OwnLimits(memory_counters))


def allowed(it: InForce, wall_s: float = LATER_S - 1) -> int:
    assert it.counters is not None
    return it.counters.read("", 0, Moment(0.0, wall_s)).allowed


def test_a_raise_lapses_by_itself_and_a_clock_set_back_brings_it_not_again() -> None:
    binds = binder()
    bound = binds.bind(plan(MONEY))
    binds.adopt(bound)
    (it,) = bound.of_caller
    binds.sweep(Moment(0.0, LATER_S - 1))
    assert allowed(it) == 157
    binds.sweep(Moment(1.0, LATER_S))
    assert allowed(it, LATER_S) == 107
    binds.sweep(Moment(2.0, LATER_S - 100))
    assert allowed(it) == 107
    binds.sweep(Moment(3.0, LATER_S + 9))
    assert allowed(it, LATER_S + 9) == 100


def test_a_raise_that_was_over_before_the_plan_came_allows_nothing() -> None:
    binds = binder()
    bound = binds.bind(plan(Limit("all", "spend", 100, unit="year", raises=(Raise(50, 5.0),))))
    binds.adopt(bound)
    assert allowed(bound.of_caller[0]) == 100


def test_what_was_counted_stands_in_the_next_plan_and_is_not_touched_before_it() -> None:
    binds, now = binder(), Moment(0.0, LATER_S - 1)
    first = binds.bind(plan(MONEY, CALM))
    binds.adopt(first)
    counters = first.of_caller[0].counters
    assert counters is not None
    counters.take("", 90, now)
    second = binds.bind(plan(Limit("all", "spend", 95, unit="year"), CALM))
    assert counters.read("", 0, now).allowed == 157
    binds.adopt(second)
    assert second.of_caller[0].counters is counters
    assert (counters.read("", 0, now).used, counters.read("", 0, now).allowed) == (90, 95)
    binds.adopt(binds.bind(plan()))
    binds.adopt(third := binds.bind(plan(MONEY)))
    assert third.of_caller[0].counters is not counters


def test_a_plan_with_a_kind_that_does_not_load_is_not_bound() -> None:
    with pytest.raises(PlugError):
        binder().bind(plan(Limit("x", "no_such_kind", 1)))


def test_a_gate_holds_what_can_apply_to_this_key_on_this_route() -> None:
    team_only = Limit("growth", "requests", 5, (), (("team", "growth"),), per_s=60.0)
    by_target = Limit("llama", "requests", 5, ("target",), per_s=60.0)
    bound = binder().bind(plan(CALM, team_only, by_target))
    assert [it.limit.name for it in bound.of_target] == ["llama"]
    gate = bound.gate(key(), receipt())
    assert [it.limit.name for it, _ in gate.counts] == ["calm", "growth"]
    other = bound.gate(key(id="b", team="x"), receipt(route="other", team="x"))
    assert not other
    assert not bound.gate(key(id="c"), receipt(team=None))


def test_a_key_s_own_limits_come_first_and_change_with_the_key() -> None:
    bound = binder().bind(plan(CALM))
    before = key(limits=KeyLimits(requests_per_minute=3))
    gate = bound.gate(before, receipt())
    assert [it.limit.name for it, _ in gate.counts] == ["key:requests", "calm"]
    assert bound.gate(before, receipt()) is gate
    after = key(limits=KeyLimits(requests_per_minute=4))
    assert bound.gate(after, receipt()).counts[0][0].limit.amount == 4
    assert [it.limit.name for it, _ in bound.gate(key(), receipt()).counts] == ["calm"]


def test_a_key_s_own_limits_hold_in_a_plan_without_any() -> None:
    bound = binder().bind(plan())
    own = bound.gate(key(limits=KeyLimits(max_parallel_requests=1)), receipt())
    assert [it.limit.name for it, _ in own.counts] == ["key:parallel"]
    assert not bound.gate(key(id="b"), receipt())


def test_gates_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_GATES", 2)
    bound = binder().bind(plan(CALM))
    for number in range(5):
        assert bound.gate(key(id=str(number)), receipt())
        assert len(bound._gates) <= 2


def test_counters_are_made_by_the_shape_as_it_is_declared() -> None:
    made: list[Shape] = []

    def make(shape: Shape) -> Any:
        made.append(shape)
        return memory_counters(shape)

    Binder(make, OwnLimits(make)).bind(plan(CALM, Limit("long", "max_input_tokens", 10)))
    assert len(made) == 1


def test_a_limit_of_keys_that_was_let_go_is_asked_for_anew() -> None:
    binds = binder()
    binds.adopt(bound := binds.bind(plan()))
    held = key(limits=KeyLimits(max_parallel_requests=1))
    before = bound.gate(held, receipt())
    binds.sweep(Moment(0.0, 1.0))
    binds.sweep(Moment(10 * IDLE_S, 1.0))
    assert bound.gate(held, receipt()).counts[0][0] is not before.counts[0][0]


def test_those_that_count_from_now_on_come_back_once() -> None:
    binds = binder()
    first = binds.adopt(binds.bind(plan(CALM)))
    assert [it.limit.name for it in first] == ["calm"]
    both = plan(replace(CALM, amount=9), Limit("at-once", "concurrency", 3))
    assert [it.limit.name for it in binds.adopt(binds.bind(both))] == ["at-once"]
    assert binds.adopt(binds.bind(both)) == []


def test_in_a_shared_store_too_and_anew_in_another_one() -> None:
    class Stores:
        def __init__(self) -> None:
            self.now = store_of(FakeCounters())

        def of(self, *_: Any) -> SharedStore:
            return self.now

        def adopt(self, *_: Any) -> None:
            return None

    stores: Any = Stores()
    binds = Binder(memory_counters, OwnLimits(memory_counters), stores)
    at_once = replace(plan(Limit("at-once", "concurrency", 3)), counters=CounterStore())
    assert [it.limit.name for it in binds.adopt(binds.bind(at_once))] == ["at-once"]
    assert binds.adopt(binds.bind(at_once)) == []
    stores.now = store_of(FakeCounters())
    assert [it.limit.name for it in binds.adopt(binds.bind(at_once))] == ["at-once"]
