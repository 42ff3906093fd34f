"""From claims to a caller: what is unknown is refused, and never let in as something else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.signers import ISSUER, issuer

from tidegate.core.caller import Caller, id_of_caller, id_of_issuer, id_of_token
from tidegate.core.key_limits import KeyLimits
from tidegate.core.outcome import Refusal
from tidegate.core.plan_callers import FromClaim, Grant, GrantLimits, IssuerKeys, Match
from tidegate.gateway.grants import caller_of, granted

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def caller(told: dict[str, Any], *grants: Grant, **fields: Any) -> Caller:
    one = issuer(IssuerKeys(file="/none"), *grants, **fields)
    return caller_of(one, granted(one), told, 500.0)


@given(st.dictionaries(st.sampled_from(["sub", "team", "x", "jti", "nested"]), _JSON))
def test_whatever_claims_say_the_team_is_one_of_the_plans(told: dict[str, Any]) -> None:
    table = (("a", "red"), ("true", "blue"))
    grant = Grant(FromClaim(None, ("team",), table), (Match(("x",), ("1", "y*")),))
    try:
        found = caller(told, grant)
    except Refusal as no:
        assert no.code.name == "caller_not_allowed"
        return
    assert found.team in ("red", "blue")
    assert found.name and found.id == id_of_caller(ISSUER, found.name)


def test_the_ids_times_and_limits_of_a_caller() -> None:
    limits = GrantLimits(1_000, "day", None, 5, 6, 7, False)
    grant = Grant(FromClaim("t"), limits=limits)
    told = {"sub": "a", "jti": "j", "iat": 90, "nbf": 100.5}
    found = caller(told, grant, leeway_s=10.0)
    assert found.ids == (id_of_caller(ISSUER, "a"), id_of_issuer(ISSUER), id_of_token(ISSUER, "j"))
    assert (found.issued_at_s, found.not_before_s, found.expires_at_s) == (90.0, 90.5, 500.0)
    assert found.limits == KeyLimits(1_000, "day", None, 5, 6, 7, budget_hard=False)
    assert caller({"sub": "a", "jti": 7}, grant).ids == found.ids[:2]


def test_the_subject_may_be_another_claim() -> None:
    spiffe = caller({"sub": "x", "act": {"id": "y"}}, subject=("act", "id"))
    assert (spiffe.name, spiffe.id) == ("y", id_of_caller(ISSUER, "y"))


@pytest.mark.parametrize(
    "wanted",
    [FromClaim(None, ("none",)), FromClaim(None, ("sub",), (("b", "c"),))],
    ids=["absent", "unmapped"],
)
@pytest.mark.parametrize("field", ["customer", "environment", "end_user", "attributes"])
def test_what_is_wanted_and_not_said_is_refused(field: str, wanted: FromClaim) -> None:
    """A limit by customer or attribute does not count who has none."""
    value: Any = (("x", wanted),) if field == "attributes" else wanted
    with pytest.raises(Refusal) as no:
        caller({"sub": "a"}, Grant(FromClaim("t"), **{field: value}))
    assert no.value.code.name == "caller_not_allowed"
    assert no.value.message != "a"


KUBERNETES = {
    "aud": ["tidegate"],
    "iss": ISSUER,
    "kubernetes.io": {
        "namespace": "shop",
        "pod": {"name": "api-7d9", "uid": "2a6"},
        "serviceaccount": {"name": "api", "uid": "9f1"},
    },
    "sub": "system:serviceaccount:shop:api",
}
GITHUB = {
    "aud": "tidegate",
    "environment": "production",
    "iss": ISSUER,
    "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
    "ref": "refs/heads/main",
    "repository": "acme/shop",
    "repository_visibility": "private",
    "run_id": "9876543210",
    "sub": "repo:acme/shop:environment:production",
}
SPIFFE = {"aud": ["tidegate"], "iss": ISSUER, "sub": "spiffe://example.org/ns/shop/sa/api"}
_ACCOUNT = ("kubernetes.io", "serviceaccount", "name")


@pytest.mark.parametrize(
    ("told", "match", "attribute"),
    [
        (KUBERNETES, Match(("kubernetes.io", "namespace"), ("shop",)), (_ACCOUNT, "api")),
        (KUBERNETES, Match(("sub",), ("system:serviceaccount:shop:*",)), (_ACCOUNT, "api")),
        (GITHUB, Match(("repository",), ("acme/*",)), (("environment",), "production")),
        (GITHUB, Match(("run_id",), ("9876543210",)), (("ref",), "refs/heads/main")),
        (SPIFFE, Match(("sub",), ("spiffe://example.org/ns/shop/*",)), (("sub",), SPIFFE["sub"])),
    ],
    ids=["namespace", "account", "repository", "run", "spiffe"],
)
def test_tokens_of_platforms_are_mapped(
    told: dict[str, Any], match: Match, attribute: tuple[tuple[str, ...], str]
) -> None:
    path, value = attribute
    grant = Grant(FromClaim("shop"), (match,), attributes=(("who", FromClaim(None, path)),))
    found = caller(told, grant)
    assert (found.team, found.attributes, found.name) == ("shop", {"who": value}, told["sub"])
    for other in ({**told, match.path[0]: "another"}, {"sub": "x"}):
        with pytest.raises(Refusal):
            caller(other, grant)
