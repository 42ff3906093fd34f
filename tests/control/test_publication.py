"""What a plan moved is said by name."""

from msgspec.structs import replace
from tests.core.plans import compiled, declared

from tidegate.control.publication import moved
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.plan import Plan


def plan(*names: str, **fields: object) -> Plan:
    routes = {name: DeclaredRoute("llama") for name in names}
    return replace(compiled(declared(routes=routes)), **fields)


def test_routes_are_told_apart_by_what_became_of_them() -> None:
    before = plan("a", "b", "c")
    assert moved(before, plan("a", "d", "b")) == "new routes d; without routes c"
    polite = replace(before.routes["b"], system_prompt="Be polite.")
    assert moved(before, replace(before, routes={**before.routes, "b": polite})) == "routes b"


def test_what_is_no_route_is_told_by_its_name() -> None:
    before = plan("a")
    assert moved(before, replace(before, drain_s=5.0, version=9)) == "drain_s"


def test_a_plan_that_says_the_same_was_published_for_a_file_that_it_names() -> None:
    assert moved(plan("a"), replace(plan("a"), version=9)) == "a file that the plan names"


def test_the_first_and_the_many_are_told_briefly() -> None:
    names = [f"r{number}" for number in range(12)]
    told = moved(None, plan(*names))
    assert told == "the first plan, with routes r0, r1, r2, r3, r4, r5, r6, r7 and 4 more"
