"""Two releases of one route at a time: each has its own half of the users."""

from collections import Counter
from math import log

from tests.gateway.canaried import OTHER, ROLLOUT, chat, key_of, laned, receipt

from tidegate.core.key import KeyRecord
from tidegate.core.receipt import Receipt
from tidegate.gateway.assign import assign, stay
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.stats.harm_test import ln_mean
from tidegate.stats.ratio_test import ALARM, ODDS_RATIOS, grown

KEY = key_of()
NOTHING_YET = (0.0,) * len(ODDS_RATIOS)


def in_lane(route: PreparedRoute, user: str, key: KeyRecord = KEY, **headers: bytes) -> Receipt:
    """A request of a route with lanes, whoever of them it is of."""
    noted = receipt(end_user=user)
    named = {f"x-tidegate-{name}".encode(): value for name, value in headers.items()}
    found = assign(chat("hello"), key, named, route, noted)
    served = next((it.rollout for it in route.candidates if it.route is found), None)
    assert served == (noted.rollout if noted.arm == "canary" else None)
    return noted


def test_of_two_orthogonal_releases_a_user_meets_one_and_each_has_its_own_weight() -> None:
    route = laned()
    users = [f"user-{n}" for n in range(8000)]
    met = Counter((it.rollout, it.arm) for it in (in_lane(route, user) for user in users))
    one, two = (met[name, "stable"] + met[name, "canary"] for name in (ROLLOUT, OTHER))
    assert one + two == 8000 and abs(one - 4000) < 4 * 45
    # Four standard deviations: neither the lane nor the other release says who is a canary.
    assert abs(met[ROLLOUT, "canary"] / one - 0.5) < 4 * (0.25 / one) ** 0.5
    assert abs(met[OTHER, "canary"] / two - 0.2) < 4 * (0.16 / two) ** 0.5


def test_the_share_of_units_of_each_lane_is_its_releases_weight() -> None:
    """By the same check as in control: its alarm is that of a weight of half of the units too."""
    route = laned()
    shares: dict[str | None, Counter[str | None]] = {ROLLOUT: Counter(), OTHER: Counter()}
    for number in range(4000):
        noted = in_lane(route, f"user-{number}")
        shares[noted.rollout][noted.arm] += 1
    for name, weight in ((ROLLOUT, 0.5), (OTHER, 0.2)):
        found = shares[name]
        right = grown(NOTHING_YET, weight, found.total(), found["canary"])
        wrong = grown(NOTHING_YET, weight / 2, found.total(), found["canary"])
        assert ln_mean(right) < log(ALARM) < ln_mean(wrong)


def test_what_becomes_of_one_release_moves_nobody_of_the_other() -> None:
    users = [f"user-{n}" for n in range(1000)]

    def of_other(route: PreparedRoute) -> dict[str, tuple[str | None, int | None]]:
        met = {user: in_lane(route, user) for user in users}
        return {user: (it.arm, it.unit) for user, it in met.items() if it.rollout == OTHER}

    both, alone = laned(), laned()
    alone.candidate, alone.beside = alone.beside, None
    assert of_other(alone) == of_other(both)
    assert of_other(laned(0.9)) == of_other(laned(0.0)) == of_other(both)
    nobodys = [it for it in (in_lane(alone, user) for user in users) if it.rollout is None]
    assert 400 < len(nobodys) < 600
    assert {(it.arm, it.unit, it.arm_forced) for it in nobodys} == {(None, None, False)}


def test_who_is_named_or_chooses_gets_a_release_whatever_the_lane() -> None:
    staff = key_of(attributes={"chooses-arm": "yes"})
    route = laned(always=("team:team-b",))
    for user in (f"user-{n}" for n in range(20)):
        told = in_lane(route, user, staff, arm=b"other")
        assert (told.rollout, told.arm, told.arm_forced) == (OTHER, "canary", True)
        told = in_lane(route, user, staff, arm=b"stable")
        assert (told.arm, told.arm_forced) == ("stable", True)
        told = in_lane(route, user, key_of(team="team-b"))
        assert (told.rollout, told.arm, told.arm_forced) == (ROLLOUT, "canary", True)


def test_an_arm_is_meant_also_where_a_release_is_called_so() -> None:
    staff = key_of(attributes={"chooses-arm": "yes"})
    route = laned(1.0)
    assert route.candidate is not None
    route.candidate.rollout = "small/stable"
    told = [in_lane(route, f"user-{n}", staff, arm=b"stable") for n in range(20)]
    assert {it.rollout for it in told} == {"small/stable", OTHER}
    assert {it.arm for it in told} == {"stable"}


def test_an_answer_that_the_other_release_keeps_is_gone_on_from_there() -> None:
    route = laned()
    assert route.candidate is not None and route.beside is not None
    noted = receipt(arm="canary", rollout=ROLLOUT, release="small@2")
    assert stay(route, noted, "other") is route.beside.route
    assert (noted.rollout, noted.arm, noted.arm_forced) == (OTHER, "canary", True)
    assert stay(route, noted, "stable") is route
    assert (noted.arm, noted.release) == ("stable", "small@1")
