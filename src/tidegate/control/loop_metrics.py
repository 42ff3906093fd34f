"""The loop on `/metrics`: whether it ticks, what it holds, where releases stand and came to."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from tidegate.control.exposition import Heads, exposed, label
from tidegate.core.rollout_state import State

_HEADS: Final[Heads] = {
    "tidegate_loop_tick_seconds": ("gauge", "What the newest tick of the loop took."),
    "tidegate_loop_ticked_timestamp_seconds": ("gauge", "When the loop ticked last."),
    "tidegate_loop_failing": ("gauge", "Whether the newest tick came to nothing."),
    "tidegate_release_state": ("gauge", "Releases under way, by where they stand."),
    "tidegate_release_moves_total": (
        "counter",
        "States that releases came to since this control started, by what led there.",
    ),
}


class Ticked(Struct, frozen=True):
    """The newest tick: when (wall-clock seconds, None before the first), how long, how it went."""

    at_s: float | None
    took_s: float
    failing: bool


def render(
    tick: Ticked,
    standing: Iterable[tuple[str, str, State]],
    moves: Mapping[tuple[State, str], int],
) -> bytes:
    """In Prometheus' text form. `standing` is of (route, release, state), `moves` of (state, row of
    the table). Before the first tick nothing is known of it."""
    series: dict[str, list[str]] = {name: [] for name in _HEADS}
    if tick.at_s is not None:
        series["tidegate_loop_tick_seconds"] = [f" {tick.took_s:.6f}"]
        series["tidegate_loop_ticked_timestamp_seconds"] = [f" {tick.at_s:.3f}"]
        series["tidegate_loop_failing"] = [f" {int(tick.failing)}"]
    series["tidegate_release_state"] = [
        f'{{route="{label(route)}",release="{label(name)}",state="{state}"}} 1'
        for route, name, state in standing
    ]
    series["tidegate_release_moves_total"] = [
        f'{{state="{state}",reason="{by}"}} {count}' for (state, by), count in sorted(moves.items())
    ]
    return exposed(_HEADS, series)
