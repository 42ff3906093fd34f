"""What came of the copies for releases, all gateways together, by what receipts add up to."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import asdict
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
    the other's by the names that receipts tell: the one that `candidates` has, and those before it,
    since a promotion on its route gives it another."""
    names: dict[str, str | None] = {}
    shadows: list[Shadow] = []
    for one in kept:
        standing = known[one.rollout.id].standing
        if _is_shadowed(standing):
            orthogonal = one.rollout.orthogonal
            name = (candidates or {}).get(one.rollout.id) if orthogonal else None
            names[one.rollout.id] = name
            shadows += _shadows(one, standing, name)
    found = signals.shadowed(connection, shadows)
    return {
        release: ShadowSeen(**asdict(found[release]), name=name)
        if release in found
        else ShadowSeen(name=name)
        for release, name in names.items()
    }


def _is_shadowed(standing: Standing) -> bool:
    at = standing.back_to if standing.state == "paused" else standing.state
    return at == _SHADOW


def _shadows(kept: Kept, standing: Standing, name: str | None) -> list[Shadow]:
    """One for each name that it had; of one that is alone on its route whatever is told."""
    rollout, first_s = kept.rollout, standing.shadowed_s
    from_s = kept.since_s if first_s is None else min(first_s, kept.since_s)
    every = {"" if name is None else name, *(() if name is None else standing.copied_as)}
    return [Shadow(rollout.id, rollout.route, it, from_s, kept.since_s) for it in sorted(every)]
