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
    preset_objectives,
)
from tidegate.core.sli import LATENCIES, Patience


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


def test_patience_is_what_the_objectives_say() -> None:
    def patience(*objectives: Objective) -> Patience:
        return RouteObjectives("r", objectives).patience

    assert patience(Objective("availability", 0.9)) == Patience()
    assert patience(Objective("ttft", 0.9, 1.0)) == Patience(first_token_s=1.0)
    both = Objective("turn_time", 0.9, 8.0), Objective("total_time", 0.9, 90.0)
    assert patience(*both) == Patience(whole_s=8.0)
    assert patience(both[1]) == Patience(whole_s=90.0)
