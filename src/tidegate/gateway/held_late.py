"""Requests in flight are held of a concurrency that begins while they are served: that counts what
is there now, and not what came before."""

from collections.abc import Iterable
from typing import Protocol, cast

from tidegate.core.limit import Gauge, Moment
from tidegate.core.outcome import Refusal
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.progress import Progress
from tidegate.gateway.world import World


class _Holding(Protocol):
    """Counters of which something can be held that is there already."""

    def hold(self, scope: str, amount: int, now: Moment) -> int: ...


def hold_late(begun: Iterable[InForce], served: Iterable[Progress], now: Moment) -> None:
    """Holds of each of these limits, in memory, the requests that it counts; also beyond what it
    allows. Settle gives them back."""
    served = tuple(served)
    for it in begun:
        if not isinstance(it.shape, Gauge) or it.counters is None:
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


async def hold_of_key(key_id: str, world: World) -> None:
    """The key has changed: what is in flight of it is held of a concurrency that it brings now and
    did not before. Where it cannot be read now, that counts from the next request on."""
    try:
        record = await world.keys.record(key_id)
        if record is None or world.plan is None:
            return
        limits = world.plan.limits.of_key(record)
    except Refusal:
        return
    for it in limits:
        served = [
            progress
            for progress in world.calls.values()
            if progress.receipt.key_id == key_id and not _holds(progress, it)
        ]
        hold_late((it,), served, moment())


def _holds(progress: Progress, it: InForce) -> bool:
    """Also of one by that name that the key brought before: its count goes on in this one."""
    held = progress.held_late or ()
    if progress.admitted is not None:
        held = progress.admitted.held
    return any(of.limit.name == it.limit.name for of, *_ in held)
