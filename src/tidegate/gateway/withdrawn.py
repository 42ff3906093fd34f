"""Whether the version that a request is meant for was rolled back before it was sent.

A rollback is obeyed by a gateway once it has told control so. What was sent before may end; what
waits for a place, for a connection or for another attempt is not sent there any more.
"""

from tidegate.gateway.progress import Progress
from tidegate.gateway.world import World


class Withdrawn(Exception):
    """Nobody gets the version any more that a request was assigned."""


def withdrawn(progress: Progress, world: World) -> Withdrawn | None:
    """None where it stands, or where it came by no release. A promotion takes nothing back."""
    route, plan, receipt = progress.route, world.plan, progress.receipt
    came_by = () if route is None else route.route.came_by
    if not came_by or plan is None:
        return None
    now = plan.routes.get(receipt.route or "")
    if now is None:
        return None  # the route itself is gone, which is no word about a release of it
    if any(one in now.route.taken_back for one in came_by):
        return Withdrawn()
    own = came_by[-1]
    if receipt.arm not in ("canary", "shadow") or own in now.route.came_by:
        return None
    for candidate in now.candidates:
        if candidate.rollout == own and (candidate.weight > 0 or candidate.shadow_share > 0):
            return None
    return Withdrawn()


def check_version(progress: Progress, world: World) -> None:
    """Withdrawn, of a request of which nothing has been sent."""
    gone = withdrawn(progress, world)
    if gone is not None:
        raise gone
