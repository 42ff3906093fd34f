"""The presets, and what a route's clients are expected to wait."""

from typing import get_args

import pytest

from tidegate.core.levers import LEVERS
from tidegate.core.objective import (
    INDICATORS,
    PRESETS,
    STATES,
    Indicator,
    Objective,
    Preset,
    RouteObjectives,
    bound_text,
    preset_objectives,
    turn_bound,
)
from tidegate.core.sli import LATENCIES, Patience
from tidegate.core.turn_bound import TurnBound


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_whole(preset: Preset) -> None:
    for sli, one in preset_objectives(preset).items():
        assert one.sli == sli
        assert 0.5 < one.target < 1.0
        assert (one.within_s is not None) == (sli in LATENCIES)
    assert "availability" in PRESETS[preset]


def test_all_presets_and_indicators_are_there() -> None:
    assert set(PRESETS) == set(get_args(Preset))
    assert set(INDICATORS) == set(get_args(Indicator))
    assert {sli for rows in PRESETS.values() for sli in rows} == set(INDICATORS)


def test_p99_of_a_chat_s_first_token_is_three_seconds() -> None:
    assert preset_objectives("chat")["ttft"] == Objective("ttft", 0.99, 3.0)


def test_states_are_the_values_of_their_lever() -> None:
    assert (LEVERS["release_policy"].least, LEVERS["release_policy"].most) == (0, len(STATES) - 1)


def test_only_a_turn_is_judged_when_it_is_counted() -> None:
    assert turn_bound(Objective("turn_time", 0.9, 2.0, 0.05)) == TurnBound(2.0, 0.05)
    assert turn_bound(Objective("total_time", 0.9, 2.0)) is None


@pytest.mark.parametrize(
    ("bound", "text"),
    [((None, 0.0), ""), ((3.0, 0.0), "3s"), ((5.0, 0.04), "5s + 40ms a token")],
)
def test_bounds_are_said_in_one_way(bound: tuple[float | None, float], text: str) -> None:
    assert bound_text(*bound) == text


def test_patience_is_what_the_objectives_say() -> None:
    def patience(*objectives: Objective) -> Patience:
        return RouteObjectives("r", objectives).patience

    assert patience(Objective("availability", 0.9)) == Patience()
    assert patience(Objective("ttft", 0.9, 1.0)) == Patience(first_token_s=1.0)
    both = Objective("turn_time", 0.9, 8.0), Objective("total_time", 0.9, 90.0)
    assert patience(*both) == Patience(whole_s=8.0, turn=TurnBound(8.0))
    long = Objective("turn_time", 0.9, 2.0, 0.05)
    assert patience(long) == Patience(turn=TurnBound(2.0, 0.05))  # whole answers may take longer
    assert patience(both[1]) == Patience(whole_s=90.0)
