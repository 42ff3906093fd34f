"""What a gate lays out: who judges, who counts, what is told, and what one may leave out."""

from typing import cast

from tidegate.core.limit import Moment, Seeded
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce
from tidegate.limits import max_input_tokens, repeats, requests, spend
from tidegate.stores.memory_counters import memory_counters

RECEIPT = Receipt("id", 1.0, "g", "chat", key_id="k", team="growth", session_id="s")
PER_KEY = Limit("per-key", "requests", 5, ("key",), per_s=60.0)
PER_SESSION = Limit("per-session", "requests", 5, ("session",), per_s=60.0)
MONEY = Limit("money", "spend", 5, unit="month")
CAP = Limit("cap", "max_input_tokens", 5)
CIRCLES = Limit("circles", "repeats", 5, ("session", "prompt"))
ROOM = (max_input_tokens, repeats, requests, spend)
KINDS = {module.__name__.rpartition(".")[2]: module.plug for module in ROOM}


def in_force(limit: Limit) -> InForce:
    kind = KINDS[limit.kind]
    shape = kind.shape(limit)
    return InForce(limit, kind, None if shape is None else memory_counters(shape))


def gate(*limits: Limit) -> Gate:
    return Gate(tuple(in_force(limit) for limit in limits), RECEIPT)


def test_a_scope_that_cannot_change_is_read_once() -> None:
    fixed = {it.limit.name: scope for it, scope in gate(PER_KEY, PER_SESSION, MONEY).counts}
    assert fixed == {"per-key": "k", "per-session": None, "money": ""}


def test_who_judges_does_not_count() -> None:
    it = gate(CAP, MONEY, CIRCLES)
    assert [one.limit.name for one in it.judges] == ["cap"]
    assert [one.limit.name for one in it.money] == ["money"]
    assert it.prompts
    assert not gate(CAP, MONEY).prompts
    assert gate(CAP)
    assert not gate()


def test_only_rates_are_told() -> None:
    [rates] = gate(PER_KEY, PER_SESSION, MONEY).told
    assert [(rate.noun, rate.by.limit.name) for rate in rates] == [
        ("requests", "per-key"),
        ("requests", "per-session"),
    ]


def test_a_budget_is_unknown_until_its_past_is_counted() -> None:
    it, now = gate(PER_KEY, MONEY), Moment(1.0, 1e9)
    [(budget, scope, _)] = it.unknown(RECEIPT, now)
    assert (budget.limit.name, scope) == ("money", "")
    cast(Seeded, budget.counters).seed(scope, (), now)
    assert it.unknown(RECEIPT, now) == []


def test_what_cannot_be_learnt_is_left_out() -> None:
    it = gate(PER_KEY, MONEY)
    assert it.without(()) is it
    other = it.without(it.money)
    assert [one.limit.name for one, _ in other.counts] == ["per-key"]
    assert not other.money
    assert it.money
