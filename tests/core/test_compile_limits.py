from decimal import Decimal
from itertools import permutations

import pytest
from msgspec import msgpack
from tests.core.plans import compiled, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.compile_limits import MAX_LIMITS
from tidegate.core.database_ref import CountersRef, CounterStore
from tidegate.core.declared_budgets import DeclaredBudget, Period
from tidegate.core.declared_gateway import DeclaredGateway
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_storage import DeclaredCounters, DeclaredStorage
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import Limit, Plan

DAY, MONTH, YEAR = Period(unit="day"), Period(unit="month"), Period(unit="year")


def calls(amount=10, **more):
    return DeclaredLimit("calls", amount, **more)


def dollars(amount=5, per=MONTH, **more):
    return DeclaredBudget(Decimal(amount), per, **more)


def one(**changes):
    [limit] = compiled(declared(**changes)).limits
    return limit


def complaints(**changes):
    with pytest.raises(PlanRefused) as refused:
        compiled(declared(**changes))
    return {".".join(c.path): c.message for c in refused.value.complaints}


def test_a_limit_is_carried_over_with_what_its_kind_reads():
    found = one(limits={"x": calls(per_s=60.0, burst=20, on_excess="alert", scope="key")})
    assert found == Limit("x", "calls", 10, ("key",), per_s=60.0, burst=20, on_excess="alert")


def test_a_budget_becomes_a_limit_of_spend_in_nanodollars():
    found = one(budgets={"b": dollars("0.000000001", time_zone="Europe/Berlin", scope="team")})
    assert found == Limit(
        name="b",
        kind="spend",
        amount=1,
        scope=("team",),
        unit="month",
        time_zone="Europe/Berlin",
        alert_percents=(50, 80, 100),
    )


def test_a_soft_budget_alerts_and_a_duration_rolls():
    found = one(budgets={"b": dollars(per=Period(rolling_s=3600.0), hard=False, alerts=(90,))})
    assert (found.on_excess, found.alert_percents) == ("alert", (90,))
    assert (found.per_s, found.unit) == (3600.0, None)


def test_limits_are_the_same_however_they_are_written():
    first = [("a", calls(12, scope=("team", "key"))), ("b", calls(11, scope="route"))]
    again = [("a", calls(12, scope=("key", "team"))), ("b", calls(11, scope=("route",)))]
    payer = {"team": "x", "customer": "y"}
    plans = [
        compiled(declared(limits=dict(order), budgets={"c": dollars(only=only)}))
        for limits in (first, again)
        for order in permutations(limits)
        for only in (payer, dict(reversed(payer.items())))
    ]
    assert len({plan.digest for plan in plans}) == 1
    assert [limit.name for limit in plans[0].limits] == ["a", "b", "c"]


def test_limits_survive_the_way_to_a_gateway():
    budgets = {"b": dollars(1_000_000_000, only={"attribute.x": "y"})}
    plan = compiled(declared(limits={"x": calls(10**15, per_s=1.5)}, budgets=budgets))
    assert msgpack.decode(msgpack.encode(plan), type=Plan) == plan


def test_a_changed_amount_is_another_plan():
    first, second = (compiled(declared(limits={"x": calls(n)})) for n in (1, 2))
    assert first.digest != second.digest


@pytest.mark.parametrize("scope", ["global", ("global",), ()])
def test_a_global_scope_is_one_counter(scope):
    assert one(limits={"x": calls(scope=scope)}).scope == ()


def test_the_window_that_a_kind_takes_by_itself_is_in_the_plan():
    assert one(limits={"x": DeclaredLimit("turns", 5)}).per_s == 3600.0
    assert one(limits={"x": DeclaredLimit("turns", 5, per_s=60.0)}).per_s == 60.0
    found = complaints(
        limits={"a": DeclaredLimit("turns", 5), "b": DeclaredLimit("turns", 6, per_s=3600.0)}
    )
    assert found.keys() == {"limits.b"}


def test_the_assumed_output_is_carried_over():
    plan = compiled(declared(gateway=DeclaredGateway(assumed_output_tokens=7)))
    assert plan.assumed_output_tokens == 7


def test_every_complaint_comes_at_once():
    found = complaints(
        limits={
            "kind": DeclaredLimit("cals", 1),
            "money": DeclaredLimit("spend", 1),
            "broken": DeclaredLimit("broken", 1),
            "unread": DeclaredLimit("share", 1, per_s=60.0, count="input"),
            "unlucky": calls(13),
            "twice": calls(scope=("key", "key")),
            "mixed": calls(scope=("key", "global")),
            "prompted": calls(only={"prompt": "0a1b2c3d"}),
            "lost": calls(only={"route": "chatt", "provider": "x", "target": "y", "model": "z"}),
        },
        budgets={
            "kind": dollars(),
            "mute": dollars(hard=False, alerts=()),
            "falling": dollars(scope="key", alerts=(80, 50)),
            "rolling": dollars(scope="trace", per=Period(rolling_s=60.0), time_zone="UTC"),
            "once": dollars(scope="team", per=Period(unit="lifetime"), time_zone="UTC"),
        },
        gateway=DeclaredGateway(processes=2),
    )
    assert 'did you mean "calls"?; write `kind:` with one of: broken, calls, share, turns' in (
        found.pop("limits.kind.kind")
    )
    assert "below `budgets:`" in found.pop("limits.money.kind")
    assert "does not load" in found.pop("limits.broken.kind")
    assert "remove it" in found.pop("limits.unread.per")
    assert "does not read this" in found.pop("limits.unread.count")
    assert found.pop("limits.unlucky") == "thirteen cannot be enforced"
    assert "written twice" in found.pop("limits.twice.scope.1")
    assert "stands alone" in found.pop("limits.mixed.scope")
    assert 'did you mean "chat"?' in found.pop("limits.lost.only.route")
    assert "there is no provider" in found.pop("limits.lost.only.provider")
    assert "there is no target" in found.pop("limits.lost.only.target")
    assert "there is no model" in found.pop("limits.lost.only.model")
    assert "no prompt can be named" in found.pop("limits.prompted.only.prompt")
    assert "a limit has this name too" in found.pop("budgets.kind")
    assert "neither refuses nor alerts" in found.pop("budgets.mute")
    assert "50% comes after 80%" in found.pop("budgets.falling.alerts.1")
    assert "a duration has no time zone" in found.pop("budgets.rolling.time_zone")
    assert "a lifetime has no time zone" in found.pop("budgets.once.time_zone")
    said = found.pop("gateway.processes")
    assert "write `processes: 1`" in said
    assert "`storage.limits`" in said
    assert found == {}


def test_a_key_that_the_kind_does_not_read_names_those_it_reads():
    found = complaints(limits={"x": calls(count="input")})
    assert found["limits.x.count"].endswith("it reads `per`, `burst`, `on_excess`")


def test_limits_that_contradict_one_another_are_named():
    found = complaints(
        limits={"a": calls(5), "b": calls(6)},
        budgets={"day": dollars(9, DAY), "year": dollars(8, YEAR)},
    )
    assert '"a"' in found["limits.b"] and '"year"' in found["budgets.day"]


def test_only_knows_every_way_to_name_a_target():
    routes = {
        "chat": DeclaredRoute("llama"),
        "own": DeclaredRoute(DeclaredTarget("engine", "m")),
        "split": DeclaredRoute("engine/org/model"),
    }
    names = [("target", t) for t in ("llama", "own", "engine/org/model")]
    names += [("model", m) for m in ("llama-3", "m", "org/model")]
    limits = {f"n{n}": calls(only={dim: value}) for n, (dim, value) in enumerate(names)}
    assert len(compiled(declared(routes=routes, limits=limits)).limits) == len(names)


def test_a_plan_has_a_bounded_number_of_limits():
    limits = {f"n{n}": calls(only={"team": str(n)}) for n in range(MAX_LIMITS)}
    assert len(compiled(declared(limits=limits)).limits) == MAX_LIMITS
    assert "at most 1000" in complaints(limits=limits, budgets={"b": dollars()})["limits"]


def test_several_processes_without_limits_are_served():
    assert compiled(declared(gateway=DeclaredGateway(processes=2))).limits == ()


def test_several_processes_while_keys_bring_limits_need_a_store_too():
    several = declared(gateway=DeclaredGateway(processes=2))
    brought = {"keys_limited": lambda: True}
    with pytest.raises(PlanRefused) as refused:
        compiled(several, **brought)
    [complaint] = refused.value.complaints
    assert complaint.path == ("gateway", "processes")
    assert "keys" in complaint.message
    assert "`storage.limits`" in complaint.message
    where = DeclaredStorage(limits=DeclaredCounters(CountersRef(url="redis://host/0")))
    shared = declared(gateway=DeclaredGateway(processes=2), storage=where)
    assert compiled(shared, **brought).counters is not None
    assert compiled(declared(), **brought).counters is None


def test_several_processes_with_a_store_that_counts_for_all_are_served():
    where = DeclaredCounters(CountersRef(url="redis://:${P}@host/0"), "exact")
    plan = compiled(
        declared(
            limits={"x": calls()},
            gateway=DeclaredGateway(processes=2),
            storage=DeclaredStorage(limits=where),
        )
    )
    assert plan.counters == CounterStore("exact", url="redis://:${P}@host/0")
    assert compiled(declared()).counters is None


@pytest.mark.parametrize("told", ["session", "trace", "prompt", "end_user"])
def test_what_callers_say_of_themselves_is_told_apart_by_team(told):
    """Or whoever names another team's session would use it up."""
    assert one(limits={"x": calls(scope=told)}).scope == tuple(sorted((told, "team")))
    assert one(budgets={"b": dollars(scope=(told, "route"))}).scope == tuple(
        sorted((told, "route", "team"))
    )
    for granted in ("key", "team", "customer"):
        found = one(limits={"x": calls(scope=(told, granted))})
        assert found.scope == tuple(sorted((told, granted)))


def test_the_session_alert_is_there_unless_the_plan_says_otherwise():
    assert compiled(declared()).session_alert_tokens == 50_000
    assert compiled(declared(gateway=DeclaredGateway(session_alert_tokens=0))) != compiled(
        declared()
    )
