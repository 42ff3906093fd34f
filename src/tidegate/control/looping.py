"""Puts the loop together: what watches, what acts, and what it asks of the process around it."""

from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control.act import Acting
from tidegate.control.compiling import Compiling
from tidegate.control.error_budgets import ErrorBudgets
from tidegate.control.feed_server import FeedServer
from tidegate.control.loop import Loop, Outside
from tidegate.control.observe import Releases
from tidegate.control.plans import Plans
from tidegate.core import clock
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import changes, database, notices, rollouts
from tidegate.stores.rollouts import RolloutNotFound

_WEIGHT = "release_weight"


def render(loop: Loop) -> bytes:
    """What the loop's controllers count, in Prometheus' text form."""
    budgets = (one for one in loop.watchers if isinstance(one, ErrorBudgets))
    return b"".join(one.render() for one in budgets)


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
    budgets = ErrorBudgets(lambda: plans.declared, lambda: plans.current)
    outside = Outside(declared, leads, obeyed, budgets.burns, feed.wake, node)
    return Loop(engine, (budgets, Releases()), hands, outside)  # what binds before what is bound


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
