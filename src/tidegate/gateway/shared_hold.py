"""Holds in the store that several gateways share: taken in one step, given back once."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from tidegate.core import clock
from tidegate.core.limit import Demand, Reading
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Hold, Receipt
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce
from tidegate.gateway.shared_store import SharedStore
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_asking import No
from tidegate.stores.redis_wants import Away, Taken, Unlearnt, Want

RETRY_S: Final = 1.0
# How long a hard budget waits for a store that is away, before it refuses.
PATIENCE_S: Final = 0.5
LEARN_PATIENCE_S: Final = 2.0
AGAIN_S: Final = 0.02

Wanting = tuple[InForce, str]
# The limit that has no room, in which scope, for how much, and how it stands.
Short = tuple[InForce, str, int, Reading]


class SharedHold(NamedTuple):
    """What one request has taken of the limits `of`, until it is given back."""

    store: SharedStore
    taken: Taken
    of: list[Wanting]

    def holds_money(self) -> bool:
        return any(
            want.amount and it.money
            for (it, _), want in zip(self.of, self.taken.wants, strict=True)
        )


async def take_shared(gate: Gate, demand: Demand, id: str) -> SharedHold | Short | None:
    """All that the gate's shared limits want, or nothing and who has no room; None when none of
    them applies. `id` is used once. Refusal where a hard budget cannot be asked."""
    of, wants = _wants(gate.shared, demand)
    if not wants:
        return None
    store = _store(gate.shared)
    answer = await store.counters.take(id, wants)
    if isinstance(answer, Away | Unlearnt):
        answer = await _take_late(store, id, (of, wants), answer)
    if isinstance(answer, Taken):
        store.in_use += 1
        return SharedHold(store, answer, of)
    it, scope = of[answer.index]
    if isinstance(answer, Away | Unlearnt):
        raise _away(f"the budget {it.limit.name!r} cannot be asked for now")
    return it, scope, wants[answer.index].amount, answer.reading


def hold_shared(it: InForce, scope: str, receipt: Receipt, number: int) -> SharedHold:
    """One place of a gauge that this request has taken already, also beyond what is allowed. It is
    the request's hold of that number."""
    shared = it.shared
    assert shared is not None  # noqa: S101 - only such are asked about
    store = shared.store
    want = shared.want(scope, 1, receipt, store.counters.wall_s())
    store.in_use += 1
    taken = store.counters.hold(f"{receipt.id}/late.{number}", [want])
    return SharedHold(store, taken, [(it, scope)])


def settle_shared(holds: list[SharedHold], receipt: Receipt, worked: bool) -> None:
    """What was held becomes what was used. Unknown counts as all of it, unless nobody worked."""
    while holds:
        store, taken, of = holds.pop()
        used = []
        for (it, scope), want, reading in zip(of, taken.wants, taken.readings, strict=True):
            known = it.used(receipt)
            used.append(known if known is not None else want.amount if worked else 0)
            receipt.holds = [*receipt.holds, Hold(it.limit.name, scope, want.amount, known)]
            if it.alerts and reading is not None and reading.used + used[-1] > reading.allowed:
                receipt.over_limits = [*receipt.over_limits, it.limit.name]
        store.in_use -= 1
        store.counters.give_back(taken, used)


async def _take_late(
    store: SharedStore, id: str, wanted: tuple[list[Wanting], list[Want]], answer: Taken | No
) -> Taken | No:
    """A store that is late, or is being connected to again, is waited for a little, and a little
    longer for what was spent of a budget that it does not know yet."""
    of, wants = wanted
    since_s, number = clock.monotonic_s(), 0
    while isinstance(answer, Away | Unlearnt):
        patience_s = PATIENCE_S
        if isinstance(answer, Unlearnt):
            patience_s = LEARN_PATIENCE_S
            if not await store.learn(*of[answer.index], wants[answer.index]):
                return answer
        if number or isinstance(answer, Away):
            await asyncio.sleep(AGAIN_S)
        number += 1
        answer = await store.counters.take(f"{id}.{number}", wants)
        if clock.monotonic_s() > since_s + patience_s:
            return answer
    return answer


async def read_shared(of: list[Wanting], receipt: Receipt) -> list[Reading]:
    """How these stand in the store. Refusal while it cannot be asked."""
    if not of:
        return []
    store = _store([it for it, _ in of])
    wall_s = store.counters.wall_s()
    wants = [it.shared.want(scope, 0, receipt, wall_s) for it, scope in of if it.shared is not None]
    until_s = clock.monotonic_s() + LEARN_PATIENCE_S
    try:
        while isinstance(answer := await store.counters.read(wants), Unlearnt):
            known = await store.learn(*of[answer.index], wants[answer.index])
            if not known or clock.monotonic_s() > until_s:
                raise _away("what was spent of a budget cannot be read now")
            await asyncio.sleep(AGAIN_S)
    except StoreUnavailable as error:
        raise _away("shared counters cannot be asked for now") from error
    return answer


def _wants(limits: tuple[InForce, ...], demand: Demand) -> tuple[list[Wanting], list[Want]]:
    """What is free passes a hard budget, also one that cannot be asked."""
    receipt, wall_s = demand.receipt, _store(limits).counters.wall_s()
    of: list[Wanting] = []
    wants: list[Want] = []
    for it in limits:
        scope = it.scope_of(receipt) if it.applies(receipt) else None
        shared = it.shared
        if scope is None or shared is None:
            continue
        amount = it.amount(demand)
        if amount or not shared.hard:
            of.append((it, scope))
            wants.append(shared.want(scope, amount, receipt, wall_s))
    return of, wants


def _store(limits: Sequence[InForce]) -> SharedStore:
    shared = limits[0].shared
    assert shared is not None  # noqa: S101 - only such are asked about
    return shared.store


def _away(what: str) -> Refusal:
    return Refusal("limits_unavailable", what, retry_after_s=RETRY_S)
