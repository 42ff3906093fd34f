"""Members of a route's declaration travel as JSON and come back the same."""

from decimal import Decimal

import pytest

from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRetry, DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.route_members import MOVABLE, members_of, moved_names, value_of, with_members
from tidegate.core.secret import SecretRef

ROUTES = [
    DeclaredRoute(),
    DeclaredRoute("llama"),
    DeclaredRoute(
        targets={"a": 1.5, "b": 2.0},
        balance="sticky",
        fallbacks=DeclaredFallbacks(unavailable=("c",)),
        retry=DeclaredRetry(attempts=1, wasted_usd_per_hour=Decimal("0.25")),
        unsupported="drop",
        contract=DeclaredContract(json_schema='{"type":"object"}', on_violation="retry"),
        parameters='{"temperature":0.2}',
        system_prompt="Be brief.\n\tAlways.",
    ),
    DeclaredRoute(
        DeclaredTarget(
            "engine",
            "m",
            price="free",
            api_key=SecretRef(env="KEY"),
            replicas={"a": "http://h:1/v1"},
        )
    ),
]


@pytest.mark.parametrize("route", ROUTES)
def test_every_member_comes_back_the_same(route: DeclaredRoute) -> None:
    assert with_members(DeclaredRoute("other"), members_of(route, MOVABLE)) == route


def test_money_is_a_number_as_in_the_plan_file() -> None:
    route = DeclaredRoute(retry=DeclaredRetry(wasted_usd_per_hour=Decimal("0.25")))
    assert bytes(members_of(route, ["retry"])["retry"]) == b'{"wasted_usd_per_hour":0.25}'


def test_who_moves_a_target_moves_away_several_and_the_other_way_about() -> None:
    assert moved_names(["target"]) == ("target", "targets")
    assert moved_names(["targets", "runtime"]) == ("target", "targets")
    assert moved_names(["system_prompt", "balance"]) == ("balance", "system_prompt")


@pytest.mark.parametrize(
    ("name", "member"),
    [("slo", b"{}"), ("balance", b'"fast"'), ("retry", b"[]"), ("target", b"{"), ("target", b"1")],
)
def test_what_is_no_member_is_refused_by_its_name(name: str, member: bytes) -> None:
    with pytest.raises(ValueError, match=f"`{name}`"):
        value_of(name, member)  # type: ignore[arg-type]
