"""What may be called, and what is carried along."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.litellm_grants import USERS, Grants, attributes_of
from tidegate.config.moving import Findings

ROUTES = frozenset({"chat", "large", "openai/gpt"})
_MODELS = st.lists(
    st.sampled_from(["chat", "large", "openai/*", "nowhere", "no-default-models"]), max_size=4
)


@given(own=_MODELS, above=_MODELS)
def test_a_key_never_gets_more_than_its_team(own: list[str], above: list[str]) -> None:
    grants = Grants(ROUTES, {}, Findings())
    team = grants.routes(above, "teams.models")
    routes = grants.of_key({"models": own}, [("teams.models", above)])
    assert team == ("*",) or set(routes) <= set(team)
    assert set(routes) <= {*ROUTES, "*"}


@given(own=_MODELS, above=_MODELS)
def test_a_key_without_a_team_never_gets_more_than_its_user(
    own: list[str], above: list[str]
) -> None:
    grants = Grants(ROUTES, {}, Findings())
    user = grants.routes(above, "users.models")
    routes = grants.of_key({"models": own}, [(USERS, above)])
    assert user == ("*",) or set(routes) <= set(user)
    assert "no-default-models" not in above or routes == ()


@given(own=_MODELS, above=st.lists(_MODELS, max_size=3))
def test_a_key_has_what_each_that_it_belongs_to_has(own: list[str], above: list[list[str]]) -> None:
    grants = Grants(ROUTES, {}, Findings())
    routes = set(grants.of_key({"models": own}, [("projects.models", it) for it in above]))
    each = [set(grants.routes(it, "x")) for it in (own, *above)]
    within = [it for it in each if it != {"*"}]
    assert routes == (set.intersection(*within) if within else {"*"})


def test_a_wildcard_is_what_the_plan_has_of_it() -> None:
    grants = Grants(ROUTES, {}, Findings())
    assert grants.routes(["openai/*"], "keys.models") == ("openai/gpt",)


def test_keys_of_management_call_no_model() -> None:
    found = Findings()
    grants = Grants(ROUTES, {}, found)
    assert grants.is_for_management(["management_routes", "info_routes"])
    assert not grants.is_for_management([])
    assert not grants.is_for_management(["llm_api_routes", "management_routes"])
    assert found.all() == []
    assert not grants.is_for_management(["/v1/embeddings"])
    assert [it.fate for it in found.all()] == ["left"]


def test_metadata_that_cannot_be_read_is_none() -> None:
    assert attributes_of({"metadata": "{broken"}, {}, Findings()) == {}
    assert attributes_of({"metadata": '{"n": 3, "b": true}'}, {}, Findings()) == {
        "n": "3",
        "b": "true",
    }
