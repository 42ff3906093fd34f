"""Requests in line and in flight are held of a concurrency that begins while they are served: that
counts what is there now, and not what came before."""

from collections.abc import Iterable
from typing import Protocol, cast

from tidegate.core.limit import Gauge, Moment
from tidegate.core.outcome import Refusal
from tidegate.gateway.call import note_target
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.progress import Late, Progress
from tidegate.gateway.shared_hold import hold_shared
from tidegate.gateway.world import World


class _Holding(Protocol):
    """Counters of which something can be held that is there already."""

    def hold(self, scope: str, amount: int, now: Moment) -> int: ...


def hold_late(begun: Iterable[InForce], served: Iterable[Progress], now: Moment) -> None:
    """Holds of each of these limits the requests that it counts; also beyond what it allows. Settle
    gives them back."""
    served = tuple(served)
    for it in begun:
        if not isinstance(it.shape, Gauge):
            continue
        for progress in served:
            receipt, route = progress.receipt, progress.route
            if receipt.target is None and route is not None:
                note_target(receipt, route.target)  # it is in line for that one
            scope = it.scope_of(receipt) if it.applies(receipt) else None
            if scope is None:
                continue
            if progress.admitted is None and progress.late is None:
                progress.late = Late()
            holding = progress.admitted or progress.late
            assert holding is not None  # noqa: S101 - one of the two
            if it.shared is not None:
                number = len(holding.shared)
                holding.shared.append(hold_shared(it, scope, receipt, number))
            elif it.counters is not None:
                ticket = cast(_Holding, it.counters).hold(scope, 1, now)
                holding.held.append((it, scope, 1, ticket))


async def hold_of_key(key_id: str, world: World) -> None:
    """The key has changed: what is served of it is held of a concurrency that it brings now and
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
            for progress in world.served()
            if progress.receipt.key_id == key_id and not _holds(progress, it)
        ]
        hold_late((it,), served, moment())


def _holds(progress: Progress, it: InForce) -> bool:
    """Also of one by that name that the key brought before: its count goes on in this one."""
    holding = progress.admitted or progress.late
    if holding is None:
        return False
    of = [one for one, *_ in holding.held]
    of += [one for hold in holding.shared for one, _ in hold.of]
    return any(one.limit.name == it.limit.name for one in of)
