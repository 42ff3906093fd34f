"""Objectives: what share of a route's requests is to be good, and what follows where it is not.

The presets' numbers are what users of such a product take for granted, and no guess about what a
target can do: p99 of a chat's first token within 3 s, say. Whatever a route says itself stands
before its preset's.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.sli import LATENCIES, SLIS, LatencySli, Patience, Sli
from tidegate.core.turn_bound import TurnBound
from tidegate.core.units import format_duration

Indicator = Literal[Sli, LatencySli]
INDICATORS: Final[tuple[Indicator, ...]] = (*SLIS, *LATENCIES)
Preset = Literal["chat", "voice", "batch", "rag", "agent"]
State = Literal["normal", "caution", "restricted", "frozen"]
# In the order of their values on the lever `release_policy`.
STATES: Final[tuple[State, ...]] = ("normal", "caution", "restricted", "frozen")
HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
DEFAULT_PERIOD_S: Final = 30 * DAY_S


class Objective(Struct, frozen=True, omit_defaults=True):
    """`target` is the share of requests that are to be good; a latency is good up to `within_s`,
    a turn's up to `per_output_token_s` more for each token of its answer."""

    sli: Indicator
    target: float
    within_s: float | None = None
    per_output_token_s: float = 0.0


class Exemption(Struct, frozen=True):
    """Until then the route's state is no worse than `at_most`, whatever has been spent."""

    until_s: float
    at_most: State
    why: str
    by: str


class Maintenance(Struct, frozen=True):
    """What happens in this time was announced, and is charged to no objective."""

    from_s: float
    until_s: float
    why: str


class ErrorBudget(Struct, frozen=True, omit_defaults=True):
    """What follows from how much of an objective's budget is left of `period_s`.

    Below `caution` of it releases go slowly, below `restricted` only fixes go, with `approvers`
    people's word; at nothing left all stand still until more than `thaw` is there again. One
    incident that costs more than `review` of it wants a review before the next release.
    `caution_percent` and `restricted_percent` are those alerts of money budgets that do the same.
    """

    period_s: float = DEFAULT_PERIOD_S
    caution: float = 0.5
    restricted: float = 0.25
    thaw: float = 0.1
    review: float = 0.2
    owner: str = ""
    approvers: int = 2
    caution_percent: int = 80
    restricted_percent: int = 100
    exemptions: tuple[Exemption, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()


class RouteObjectives(Struct, frozen=True, omit_defaults=True):
    """One route's objectives, at most one of each indicator."""

    route: str
    objectives: tuple[Objective, ...]
    budget: ErrorBudget = ErrorBudget()
    preset: Preset | None = None

    @property
    def patience(self) -> Patience:
        """How long its clients are expected to wait: as long as its objectives of latency say."""
        within = {one.sli: one.within_s for one in self.objectives if one.within_s is not None}
        usual = Patience()
        whole_s = within.get("turn_time", within.get("total_time", usual.whole_s))
        turn = next((turn_bound(one) for one in self.objectives if one.sli == "turn_time"), None)
        if turn is not None and turn.per_output_token_s:
            whole_s = max(whole_s, usual.whole_s)
        return Patience(within.get("ttft", usual.first_token_s), whole_s, turn)


def turn_bound(objective: Objective) -> TurnBound | None:
    """What a turn's time is judged by when it is counted; None of any other objective."""
    if objective.sli != "turn_time" or objective.within_s is None:
        return None
    return TurnBound(objective.within_s, objective.per_output_token_s)


def bound_text(within_s: float | None, per_output_token_s: float) -> str:
    """`3s`, `5s + 40ms a token`; nothing of an objective without a bound."""
    if within_s is None:
        return ""
    if not per_output_token_s:
        return format_duration(within_s)
    return f"{format_duration(within_s)} + {per_output_token_s * 1000:.6g}ms a token"


# Indicator: (percent that is to be good, within seconds).
_Row = tuple[float, float | None]
PRESETS: Final[Mapping[Preset, Mapping[Indicator, _Row]]] = {
    "chat": {
        "availability": (99.9, None),
        "ttft": (99.0, 3.0),
        "turn_time": (95.0, 30.0),
        "integrity": (99.9, None),
        "validity": (99.0, None),
        "fallback": (95.0, None),
        "abandon": (90.0, None),
    },
    "voice": {
        "availability": (99.9, None),
        "ttft": (99.0, 1.0),
        "turn_time": (95.0, 10.0),
        "integrity": (99.9, None),
        "validity": (99.0, None),
        "fallback": (95.0, None),
        "abandon": (80.0, None),  # who speaks interrupts
    },
    "batch": {
        "availability": (99.0, None),
        "total_time": (95.0, 600.0),
        "validity": (99.0, None),
        "batch": (99.5, None),
    },
    "rag": {
        "availability": (99.9, None),
        "ttft": (99.0, 5.0),
        "turn_time": (95.0, 45.0),
        "integrity": (99.9, None),
        "validity": (99.0, None),
        "fallback": (95.0, None),
        "abandon": (90.0, None),
    },
    "agent": {
        "availability": (99.9, None),
        "ttft": (95.0, 10.0),
        "total_time": (95.0, 120.0),
        "integrity": (99.9, None),
        "validity": (99.5, None),
        "fallback": (95.0, None),
        "abandon": (95.0, None),
    },
}


def preset_objectives(preset: Preset) -> dict[Indicator, Objective]:
    return {
        sli: Objective(sli, round(percent / 100, 9), within_s)
        for sli, (percent, within_s) in PRESETS[preset].items()
    }
