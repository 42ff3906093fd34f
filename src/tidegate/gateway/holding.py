"""Taking holds, all or none, and giving them back, each exactly once."""

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.limit import Counters, Moment
from tidegate.core.receipt import Hold, Receipt
from tidegate.gateway.in_force import InForce


class Held(Struct, eq=False):
    """One hold that has not ended yet."""

    by: InForce
    counters: Counters
    ticket: int
    hold: Hold


def moment() -> Moment:
    return Moment(clock.monotonic_s(), clock.wall_s())


def take(wanted: list[tuple[InForce, str, int]], held: list[Held], now: Moment) -> bool:
    """Takes every wanted hold (limit, scope, amount) and adds it to `held`, or takes none."""
    before = len(held)
    for it, scope, amount in wanted:
        counters = it.counters
        assert counters is not None  # noqa: S101 - only what counts is wanted
        ticket = counters.take(scope, amount, now)
        if ticket is None:
            undo(held, before, now)
            return False
        held.append(Held(it, counters, ticket, Hold(it.limit.name, scope, amount)))
    return True


def undo(held: list[Held], down_to: int, now: Moment) -> None:
    """Gives back all but the first `down_to` holds as if they had never been taken."""
    while len(held) > down_to:
        one = held.pop()
        one.counters.give_back(one.hold.scope, one.ticket, one.hold.amount, 0, now)


def settle_holds(held: list[Held], receipt: Receipt, worked: bool) -> None:
    """What was held becomes what was used. Unknown counts as all of it, unless nobody worked."""
    if not held:
        return
    now = moment()
    holds = receipt.holds = []
    while held:
        one = held.pop()
        hold = one.hold
        used = one.by.used(receipt)
        hold.used = used
        if used is None:
            used = hold.amount if worked else 0
        one.counters.give_back(hold.scope, one.ticket, hold.amount, used, now)
        holds.append(hold)
