import pytest
from msgspec.structs import replace

from tidegate.core.limit import (
    SEPARATOR,
    allowed_at,
    is_dimension,
    of_target,
    raised_at,
    reaches,
    scope_text,
)
from tidegate.core.plan import Limit, Raise, Release, Route, Target

ROUTE = Route("chat", Release("chat@1", Target("llama", "engine", "vllm", "llama-3", ())))


def limit(*scope, **only):
    return Limit("x", "requests", 1, scope, tuple(only.items()))


@pytest.mark.parametrize("text", ["key", "end_user", "model", "attribute.feature", "attribute.a.b"])
def test_what_a_scope_can_be_made_of(text):
    assert is_dimension(text)


@pytest.mark.parametrize(
    "text", ["", "Key", "keys", "global", "attribute", "attribute.", "attribute.a b", "key_id"]
)
def test_what_it_cannot_be_made_of(text):
    assert not is_dimension(text)


def test_a_limit_is_of_the_target_by_any_dimension_of_one():
    assert of_target(limit("key", "model"))
    assert of_target(limit("key", provider="engine"))
    assert not of_target(limit("key", "attribute.model", route="chat"))


def test_a_limit_reaches_a_route_unless_something_speaks_against_it():
    assert reaches(limit(), ROUTE)
    assert reaches(limit(team="growth", **{"attribute.x": "y"}), ROUTE)
    assert reaches(limit(route="chat", target="llama", provider="engine", model="llama-3"), ROUTE)
    for other in ("route", "target", "provider", "model"):
        assert not reaches(limit(**{other: "another"}), ROUTE)


def test_a_scope_in_words():
    assert scope_text(limit(), "") == "everything"
    two = limit("team", "attribute.feature")
    assert scope_text(two, f"growth{SEPARATOR}search") == "team growth, feature search"
    pairs = [("a, feature b", "c"), ("a", "b, feature c"), ('a", feature "b', "c"), ('"a"', '"b"')]
    assert len({scope_text(two, SEPARATOR.join(pair)) for pair in pairs}) == len(pairs)


def test_a_raise_is_allowed_until_its_date_and_not_at_it():
    raised = replace(limit(), amount=100, raises=(Raise(10, 50.0), Raise(5, 60.0)))
    assert [allowed_at(raised, wall_s) for wall_s in (0.0, 49.9, 50.0, 59.9, 60.0)] == [
        *(115, 115),
        *(105, 105),
        100,
    ]


def test_a_raise_of_one_value_raises_no_other_and_ends_with_its_date():
    of_growth = Raise(10, 50.0, (("route", "chat"), ("team", "growth")))
    raised = replace(limit("route", "team"), amount=100, raises=(of_growth, Raise(5, 60.0)))
    growth, other = f"chat{SEPARATOR}growth", f"chat{SEPARATOR}search"
    assert [allowed_at(raised, 0.0, scope) for scope in (growth, other, None)] == [115, 105, 105]
    assert raised_at(raised, 0.0) == {growth: 115}
    assert raised_at(raised, 50.0) == {}
    assert allowed_at(raised, 50.0, growth) == 105


def test_a_raise_of_another_scope_than_the_limit_s_raises_nothing():
    raised = replace(limit("key"), amount=100, raises=(Raise(10, 50.0, (("team", "growth"),)),))
    assert raised_at(raised, 0.0) == {}
    assert [allowed_at(raised, 0.0, scope) for scope in ("growth", "", None)] == [100, 100, 100]
