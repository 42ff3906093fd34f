"""Taking holds, all or none, and giving them back, each exactly once."""

from tidegate.core import clock
from tidegate.core.limit import Demand, Moment
from tidegate.core.receipt import Hold, Receipt
from tidegate.gateway.gate import Gate
from tidegate.gateway.in_force import InForce

# One hold that has not ended: by which limit, in which scope, how much, and its ticket.
Held = tuple[InForce, str, int, int]


def moment() -> Moment:
    return Moment(clock.monotonic_s(), clock.wall_s())


def take(gate: Gate, demand: Demand, held: list[Held], now: Moment) -> bool:
    """Takes what every limit of the gate wants and adds it to `held`, or takes nothing."""
    before = len(held)
    receipt = demand.receipt
    for it, fixed in gate.counts:
        scope = gate.wanted(it, receipt) if fixed is None else fixed
        if scope is None:
            continue
        amount = it.amount(demand)
        ticket = it.take(scope, amount, now)
        if ticket is None:
            undo(held, before, now)
            return False
        held.append((it, scope, amount, ticket))
    return True


def undo(held: list[Held], down_to: int, now: Moment) -> None:
    """Gives back all but the first `down_to` holds as if they had never been taken."""
    while len(held) > down_to:
        it, scope, amount, ticket = held.pop()
        it.give_back(scope, ticket, amount, 0, now)


def settle_holds(held: list[Held], receipt: Receipt, worked: bool, now: Moment) -> None:
    """What was held becomes what was used. Unknown counts as all of it, unless nobody worked."""
    holds = receipt.holds
    while held:
        it, scope, amount, ticket = held.pop()
        known = it.used(receipt)
        used = known if known is not None else amount if worked else 0
        it.give_back(scope, ticket, amount, used, now)
        holds.append(Hold(it.limit.name, scope, amount, known if worked else used))
        if it.alerts and _is_over(it, scope, now):
            receipt.over_limits = [*receipt.over_limits, it.limit.name]


def _is_over(it: InForce, scope: str, now: Moment) -> bool:
    reading = it.counters.read(scope, 0, now) if it.counters is not None else None
    return reading is not None and reading.used > reading.allowed
