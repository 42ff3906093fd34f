"""Which targets of a plan are going, in which order, and what is said of them."""

from datetime import date

from tests.core.plans import compiled, declared

from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRoute
from tidegate.core.declared_targets import DeclaredFacts, DeclaredTarget
from tidegate.core.plan import Plan
from tidegate.core.retirement import day_of, retirement_text, retiring

TODAY = date(2026, 11, 22)


def plan_of(**days: str | None) -> Plan:
    """Targets with their days, each on a route of its own and all on `every`."""
    targets = {
        name: DeclaredTarget("engine", f"m-{name}", facts=DeclaredFacts(retires_on=day))
        for name, day in days.items()
    }
    routes = {f"to-{name}": DeclaredRoute(name) for name in days}
    first, *others = days
    routes["every"] = DeclaredRoute(first, fallbacks=DeclaredFallbacks(tuple(others)))
    return compiled(declared(targets=targets, routes=routes))


def test_those_that_go_first_come_first_with_all_their_routes() -> None:
    plan = plan_of(late="2027-02-20", gone="2026-01-01", never=None, far="2030-01-01")
    found = [(target.name, set(routes)) for target, routes in retiring(plan, TODAY, 90)]
    assert found == [("gone", {"to-gone", "every"}), ("late", {"to-late", "every"})]


def test_it_is_said_how_long_there_is() -> None:
    plan = plan_of(soon="2026-11-23", gone="2026-11-22")
    said = [retirement_text(target, TODAY) for target, _ in retiring(plan, TODAY, 90)]
    assert said == [
        "the model m-gone at engine retired on 2026-11-22, so it may fail now",
        "the model m-soon at engine retires on 2026-11-23, in 1 day",
    ]


def test_a_day_is_utc_s() -> None:
    assert day_of(1_795_391_999.0) == date(2026, 11, 22)
    assert day_of(1_795_392_000.0) == date(2026, 11, 23)
