"""Ten times the load that an engine can serve, three priorities, two tenants, in virtual time."""

import pytest
from tests.gateway.overload import Figures, overload


@pytest.fixture(scope="module", params=[1, 2])
def figures(request: pytest.FixtureRequest) -> Figures:
    return overload(request.param)


def test_the_engine_goes_on_at_nine_tenths_of_its_best(figures: Figures) -> None:
    assert figures.offered >= 9.5
    assert figures.goodput_share >= 0.9


def test_interactive_requests_have_their_first_token_within_twice_the_usual_time(
    figures: Figures,
) -> None:
    assert figures.served["interactive"] == 1.0
    assert figures.interactive_p99_flood_s <= 2 * figures.interactive_p99_calm_s


def test_the_quiet_tenant_is_served_as_if_there_were_no_flood(figures: Figures) -> None:
    assert figures.quiet_served == 1.0
    assert figures.quiet_p99_flood_s <= 2.0


def test_the_lowest_class_is_shed_first(figures: Figures) -> None:
    served = figures.served
    assert served["interactive"] > served["standard"] > served["batch"]


def test_all_is_as_before_within_half_a_minute(figures: Figures) -> None:
    assert figures.normal_after_s <= 30.0
