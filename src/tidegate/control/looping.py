"""Puts the loop together: what watches, what acts, and what it asks of the process around it."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Raw
from sqlalchemy import Engine

from tidegate.control.act import Acting
from tidegate.control.compiling import Compiling
from tidegate.control.feed_server import FeedServer
from tidegate.control.loop import Loop, Outside
from tidegate.control.observe import Releases, Watcher
from tidegate.control.plans import Plans
from tidegate.controllers.release import Burning
from tidegate.core import clock
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import changes, database, notices, rollouts
from tidegate.stores.rollouts import RolloutNotFound

_WEIGHT = "release_weight"


def watchers() -> Sequence[Watcher]:
    """Every controller that this loop runs, in the order in which they look."""
    return (Releases(),)


def build(
    engine: Engine,
    plans: Plans,
    compiling: Compiling,
    feed: FeedServer,
    standing: tuple[str, Callable[[], bool]],
) -> Loop:
    """`standing` is this machine's name in a shared database, and whether this control leads."""

    def declared() -> DeclaredLoop:
        return plans.declared.control.loop

    def obeyed(seq: int) -> bool:
        return all(one.seq >= seq for one in feed.gateways())

    node, leads = standing
    hands = Acting(engine, plans, compiling, notices.note, lambda: declared().lease_s)
    outside = Outside(declared, leads, obeyed, _burns, feed.wake, node)
    return Loop(engine, watchers(), hands, outside)


def weight_of(engine: Engine, rollout: str) -> float | None:
    """The share of units that a release's candidate has by what is in force now; None where there
    is no such release. StoreError."""
    with database.reading(engine) as connection:
        try:
            route = rollouts.find(connection, rollout).rollout.route
        except RolloutNotFound:
            return None
        held = changes.in_force(connection, clock.wall_s())
    return max((it.value for it in held if it.lever == _WEIGHT and it.scope == route), default=0.0)


def _burns(_memories: Mapping[str, Raw], _now_s: float) -> Mapping[str, tuple[Burning, ...]]:
    return {}
