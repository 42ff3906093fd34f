"""batch_money: which budgets count a batch, and what its lines have cost counts in them when they
are read."""

from collections.abc import Iterator

from tidegate.core.key import KeyRecord
from tidegate.core.limit import Calendar, Moment
from tidegate.core.periods import period_at
from tidegate.core.receipt import Receipt
from tidegate.gateway.admit import Past
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared import PreparedPlan
from tidegate.stores.spending import spent_nanousd


def charge(
    receipt: Receipt, key: KeyRecord, plan: PreparedPlan, past: Past | None, id: str
) -> None:
    """Counts what `receipt`, which stands for some lines, has cost, or may have where nobody knows.
    A budget that knows nothing of its past yet is not told: it begins with the ledger, and so with
    these lines. To be called in the turn of the loop in which their receipts are appended; `id` is
    used once. A store that is away is told when it is back: what is spent is spent."""
    nanousd = spent_nanousd(receipt)
    if not nanousd:
        return
    now, number = moment(), 0
    for it, scope in budgets(receipt, key, plan):
        if is_over(it, receipt, now):
            continue
        if it.shared is not None:
            counters = it.shared.store.counters
            want = it.shared.want(scope, 0, receipt, counters.wall_s())
            counters.spent(f"{id}.{number}", want, nanousd)
            number += 1
        elif it.counters is not None and (past is None or knows(it, scope, now)):
            ticket = it.take(scope, 0, now)
            if ticket is not None:
                it.give_back(scope, ticket, 0, nanousd, now)


def budgets(receipt: Receipt, key: KeyRecord, plan: PreparedPlan) -> list[tuple[InForce, str]]:
    """Those that count what this receipt stands for, each with its scope."""
    return [one for gate in gates(receipt, key, plan) for one in _of(gate, receipt)]


def gates(receipt: Receipt, key: KeyRecord, plan: PreparedPlan) -> tuple[Gate, Gate]:
    """The caller's limits, and those by what serves."""
    return plan.limits.gate(key, receipt), plan.limits.target_gate


def is_over(it: InForce, receipt: Receipt, now: Moment) -> bool:
    """Whether the period is over in which the batch began."""
    shape = it.shape
    if not isinstance(shape, Calendar):
        return False
    return receipt.started_at_s < period_at(shape.unit, shape.time_zone, now.wall_s).start_s


def knows(it: InForce, scope: str, now: Moment) -> bool:
    """Whether what was spent of it before is counted here."""
    return it.knows is None or it.knows(scope, now)


def _of(gate: Gate, receipt: Receipt) -> Iterator[tuple[InForce, str]]:
    for it in gate.money:
        scope = gate.wanted(it, receipt)
        if scope is not None:
            yield it, scope
