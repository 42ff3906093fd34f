"""Puts the loop together: what watches, what acts, and what it asks of the process around it."""

from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control import loop_metrics
from tidegate.control.act import Acting
from tidegate.control.assessing import Assessing
from tidegate.control.cache_worths import CacheWorths
from tidegate.control.compiling import Compiling
from tidegate.control.error_budgets import ErrorBudgets
from tidegate.control.feed_server import FeedServer
from tidegate.control.loop import Loop, Outside
from tidegate.control.loop_metrics import Ticked
from tidegate.control.observe import Releases
from tidegate.control.plans import Plans
from tidegate.control.release_certificates import certificates_of
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import fleet, notices


def render(loop: Loop) -> bytes:
    """The loop, and what its controllers count, in Prometheus' text form."""
    status, shown = loop.status, b""
    for watcher in loop.watchers:
        if isinstance(watcher, ErrorBudgets):
            shown += watcher.render()
        elif isinstance(watcher, Releases):
            tick = Ticked(status.at_s, status.took_s, status.problem is not None)
            under_way = list(watcher.standing.values())
            standing = [(one.rollout.route, one.rollout.id, one.state) for one in under_way]
            shown += loop_metrics.render(tick, standing, dict(watcher.moves))
    return shown


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
        here = not plans.is_owed and all(one.seq >= seq for one in feed.obeying())
        return here and not fleet.behind(engine, node, seq)

    hands = Acting(engine, plans, compiling, notices.note, lambda: declared().lease_s)
    budgets = ErrorBudgets(lambda: plans.declared, lambda: plans.current)
    outside = Outside(
        declared,
        leads,
        obeyed,
        budgets.burns,
        feed.wake,
        node,
        approvers=budgets.approvers,
        candidates=plans.candidates,
        count=Assessing(engine).fold,
    )
    releases = Releases(certificates_of(plans, compiling))
    caches = CacheWorths(lambda: plans.declared)
    watchers = (caches, budgets, releases)  # what binds before what is bound
    return Loop(engine, watchers, hands, outside)
