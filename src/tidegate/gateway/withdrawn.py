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
    came_by = None if route is None else route.route.rollout
    if came_by is None or plan is None:
        return None
    now = plan.routes.get(receipt.route or "")
    if now is None:
        return None  # the route itself is gone, which is no word about a release of it
    if receipt.arm not in ("canary", "shadow"):
        return Withdrawn() if came_by in now.route.taken_back else None
    candidate = now.candidate
    if candidate is not None and candidate.rollout == came_by:
        return None if candidate.weight > 0 or candidate.shadow_share > 0 else Withdrawn()
    return None if now.route.rollout == came_by else Withdrawn()


def check_version(progress: Progress, world: World) -> None:
    """Withdrawn, of a request of which nothing has been sent."""
    gone = withdrawn(progress, world)
    if gone is not None:
        raise gone
