import pytest

from tidegate.core.limit import SEPARATOR, is_dimension, of_target, reaches, scope_text
from tidegate.core.plan import Limit, Release, Route, Target

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
