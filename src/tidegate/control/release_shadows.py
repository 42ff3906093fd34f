"""What came of the copies for releases, all gateways together, by what receipts add up to."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import astuple
from sqlalchemy import Connection

from tidegate.controllers.release import Place, ShadowSeen, Standing
from tidegate.stores import signals
from tidegate.stores.rollouts import Kept
from tidegate.stores.signals import Shadow

_SHADOW: Final = "shadow"


def copies_of(
    connection: Connection,
    kept: Sequence[Kept],
    known: Mapping[str, Place],
    candidates: Mapping[str, str] | None,
) -> dict[str, ShadowSeen]:
    """By release, its answers since its shadow began, or was resumed, and their cost since it first
    began; nothing of one that has no shadow under way. Those of an orthogonal release are told from
    the other's by the name that receipts tell, which `candidates` has."""
    under_way = [
        _shadow(one, known[one.rollout.id].standing, candidates or {})
        for one in kept
        if _is_shadowed(known[one.rollout.id].standing)
    ]
    found = signals.shadowed(connection, under_way)
    return {name: ShadowSeen(*astuple(copies)) for name, copies in found.items()}


def _is_shadowed(standing: Standing) -> bool:
    at = standing.back_to if standing.state == "paused" else standing.state
    return at == _SHADOW


def _shadow(kept: Kept, standing: Standing, candidates: Mapping[str, str]) -> Shadow:
    rollout, first_s = kept.rollout, standing.shadowed_s
    name = candidates.get(rollout.id, "") if rollout.orthogonal else ""
    from_s = kept.since_s if first_s is None else min(first_s, kept.since_s)
    return Shadow(rollout.id, rollout.route, name, from_s, kept.since_s)
