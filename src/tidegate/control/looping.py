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
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import fleet, notices


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

    node, leads = standing

    def obeyed(seq: int) -> bool:
        here = all(one.seq >= seq for one in feed.obeying())
        return here and not fleet.behind(engine, node, seq)

    hands = Acting(engine, plans, compiling, notices.note, lambda: declared().lease_s)
    budgets = ErrorBudgets(lambda: plans.declared, lambda: plans.current)
    outside = Outside(declared, leads, obeyed, budgets.burns, feed.wake, node, budgets.approvers)
    return Loop(engine, (budgets, Releases()), hands, outside)  # what binds before what is bound
