"""Requests in flight are held of a concurrency that begins while they are served: that counts what
is there now, and not what came before."""

from collections.abc import Iterable
from typing import Protocol, cast

from tidegate.core.limit import Gauge, Moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.progress import Progress


class _Holding(Protocol):
    """Counters of which something can be held that is there already."""

    def hold(self, scope: str, amount: int, now: Moment) -> int: ...


def hold_late(begun: Iterable[InForce], served: Iterable[Progress], now: Moment) -> None:
    """Holds of each of these limits, in memory, the requests that it counts; also beyond what it
    allows. Settle gives them back."""
    served = tuple(served)
    for it in begun:
        if not isinstance(it.shape, Gauge):
            continue
        counters = cast(_Holding, it.counters)
        for progress in served:
            receipt = progress.receipt
            scope = it.scope_of(receipt) if it.applies(receipt) else None
            if scope is None:
                continue
            held = (it, scope, 1, counters.hold(scope, 1, now))
            if progress.admitted is not None:
                progress.admitted.held.append(held)
            else:
                progress.held_late = [*(progress.held_late or ()), held]
