"""What came of the copies for a release, all gateways together, by what receipts add up to."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection

from tidegate.controllers.release import Place, ShadowSeen
from tidegate.core.bin import MINUTE_S
from tidegate.stores import signals
from tidegate.stores.rollouts import Kept
from tidegate.stores.signals import Minute

_SHADOW: Final = "shadow"


def copies_of(
    connection: Connection, kept: Kept, place: Place, candidates: Mapping[str, str] | None
) -> ShadowSeen:
    """Its answers since its shadow began, or was resumed, and their cost since it first began;
    nothing where it has no shadow under way. Those of an orthogonal release are told from the
    other's by the names that receipts tell: the one that `candidates` has, and those before it,
    since a promotion on its route gives it another."""
    standing = place.standing
    at = standing.back_to if standing.state == "paused" else standing.state
    if at != _SHADOW:
        return ShadowSeen()
    rollout, first_s = kept.rollout, standing.shadowed_s
    name = (candidates or {}).get(rollout.id) if rollout.orthogonal else None
    from_s = kept.since_s if first_s is None else min(first_s, kept.since_s)
    names = None if name is None else {name, *standing.copied_as}
    every = signals.of_arm(connection, rollout.route, _SHADOW, from_s, releases=names)
    mine = [one for one in every if one.minute_s > kept.since_s - MINUTE_S]
    return ShadowSeen(
        requests=_sum(mine, "requests"),
        failed=_sum(mine, "failed"),
        invalid=sum(one.slis.get("validity", (0, 0))[1] for one in mine),
        copies=_sum(every, "requests"),
        cost_nanousd=_sum(every, "cost_nanousd"),
        unpriced=_sum(every, "cost_unknown"),
        name=name,
    )


def _sum(minutes: Iterable[Minute], count: str) -> int:
    return sum(one.counts.get(count, 0) for one in minutes)
