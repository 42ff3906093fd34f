"""What is held lasts as long as it was said to, on this process's own clock."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.feed import ChangesInForce, InForce
from tidegate.core.levers import LEVERS
from tidegate.gateway.levers import Levers, Standing


def off(change_id: str = "c1", target: str = "small", remaining_s: float = 60.0) -> InForce:
    return InForce(change_id, "target_off", target, 1.0, remaining_s)


def weight(value: float, left_s: float = 60.0, lease_s: float = 60.0) -> InForce:
    return InForce(f"w{value}", "release_weight", "chat", value, left_s, lease_s)


def told(*changes: InForce, epoch: int = 1) -> ChangesInForce:
    return ChangesInForce(epoch, changes)


@pytest.fixture
def levers() -> Levers:
    return Levers()


def test_what_is_told_holds_until_its_time_and_ends_once(levers: Levers) -> None:
    assert levers.told(told(off()), 100.0) is None
    assert levers.standing() == {"target_off": {"small": 1.0}}
    assert not levers.sweep(159.9)
    assert levers.sweep(160.0)
    assert levers.standing() == {}
    assert not levers.sweep(161.0)


def test_each_list_stands_for_everything(levers: Levers) -> None:
    levers.told(told(off("c1"), off("c2", "large")), 0.0)
    levers.told(told(off("c2", "large")), 1.0)
    assert levers.standing() == {"target_off": {"large": 1.0}}
    assert levers.count == 1


def test_a_lease_lasts_while_its_leadership_beats(levers: Levers) -> None:
    levers.told(told(weight(0.05, left_s=60.0), off(remaining_s=1000.0)), 0.0)
    assert not levers.beat(1, 50.0)
    assert not levers.sweep(109.0)
    assert levers.sweep(110.0)
    assert levers.standing() == {"target_off": {"small": 1.0}}
    assert levers.beat(1, 200.0), "the loop is back, and holds it still"
    assert levers.standing()["release_weight"] == {"chat": 0.05}
    assert levers.sweep(2000.0), "a beat renews leases, not what ends at a time"
    assert levers.standing() == {}


def test_a_beat_that_was_heard_counts_for_more_than_a_wall_clock_that_stepped(
    levers: Levers,
) -> None:
    levers.told(told(weight(0.05)), 0.0)
    levers.beat(1, 50.0)
    levers.told(told(weight(0.05, left_s=0.0), off()), 51.0)
    assert "release_weight" in levers.standing()
    assert levers.sweep(110.0)


def test_one_that_joins_late_has_what_is_left_of_a_lease(levers: Levers) -> None:
    levers.told(told(weight(0.05, left_s=0.0)), 0.0)
    assert levers.standing() == {}, "nobody has renewed it for its whole length"
    assert levers.beat(1, 1.0)


def test_a_leadership_that_is_over_is_not_heard(levers: Levers) -> None:
    levers.told(told(weight(0.05), epoch=2), 0.0)
    assert "leadership 1 is over" in (levers.told(told(weight(1.0), epoch=1), 1.0) or "")
    assert levers.standing()["release_weight"] == {"chat": 0.05}
    assert not levers.beat(1, 55.0)
    assert levers.sweep(60.0), "its beat renews nothing"
    levers.forget()
    assert levers.told(told(weight(1.0), epoch=1), 61.0) is None, "a store that was restored"


def test_a_new_leadership_goes_on_with_what_it_still_holds(levers: Levers) -> None:
    levers.told(told(weight(0.05), epoch=1), 0.0)
    assert not levers.beat(2, 50.0)
    assert not levers.sweep(100.0)


def test_what_cannot_be_obeyed_is_said_and_the_rest_is_obeyed(levers: Levers) -> None:
    newer = InForce("c9", "replicas", "small", 2.0, 60.0)
    wild = InForce("c8", "output_cap_tokens", "chat", -1.0, 60.0)
    said = levers.told(told(newer, off(), wild), 0.0)
    assert said is not None
    assert "no lever replicas" in said
    assert "output_cap_tokens is from 1" in said
    assert levers.standing() == {"target_off": {"small": 1.0}}


CLAMPS = [lever for lever in LEVERS.values() if lever.kind == "clamp"]


@st.composite
def held(draw: st.DrawFn) -> list[InForce]:
    several = []
    for number in range(draw(st.integers(0, 8))):
        lever = draw(st.sampled_from(CLAMPS))
        scope = "" if lever.scope == "everything" else draw(st.sampled_from(["a", "b"]))
        flag = lever.unit == "flag"
        value = float(draw(st.integers(0, 1))) if flag else draw(st.floats(lever.least, lever.most))
        several.append(InForce(f"c{number}", lever.name, scope, value, draw(st.floats(1, 99))))
    return several


@given(held(), st.data())
def test_the_order_and_repetition_of_clamps_do_not_matter_and_their_end_gives_all_back(
    several: list[InForce], data: st.DataObject
) -> None:
    def standing(of: list[InForce]) -> Standing:
        levers = Levers()
        levers.told(ChangesInForce(1, tuple(of)), 0.0)
        return levers.standing()

    again = data.draw(st.permutations(several + several[:2]))
    assert standing(again) == standing(several)
    levers = Levers()
    levers.told(ChangesInForce(1, tuple(several)), 0.0)
    levers.sweep(100.0)
    nothing: Mapping[str, Mapping[str, float]] = {}
    assert levers.standing() == nothing
