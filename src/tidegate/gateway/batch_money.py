"""batch_money: what a batch may cost must fit the budgets when it is created, and what its lines
have cost counts in them when they are read.

Nothing is held in between: a batch takes up to a day, and a gateway may end before it does. So
batches that fit a budget one by one may pass it together, by what all but the first may cost.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from tidegate.core.key import KeyRecord
from tidegate.core.limit import Calendar, Moment, scope_text
from tidegate.core.outcome import Refusal
from tidegate.core.periods import period_at
from tidegate.core.receipt import Receipt
from tidegate.gateway.admit import Past
from tidegate.gateway.batch_ids import Sealed
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.shared_hold import read_shared


async def check_fits(
    file: Sealed,
    receipt: Receipt,
    key: KeyRecord,
    plan: PreparedPlan,
    past: Past | None,
) -> None:
    """Refusal where a budget of this caller has less left than a batch of the file may cost."""
    most_nanousd = file.most_nanousd
    for it, scope in [one for gate in _gates(receipt, key, plan) for one in _of(gate, receipt)]:
        if it.limit.on_excess != "refuse":
            continue
        if most_nanousd is None:
            raise Refusal(
                "unpriced_model",
                f"no price is known for a batch of that model, and the budget {it.limit.name!r} "
                "holds money for each request",
                param="model",
            )
        if file.unbound:
            raise Refusal(
                "invalid_parameter",
                "the file's answers may be of any length, and the budget "
                f"{it.limit.name!r}, which held no money for whoever sent it, holds some now: send "
                "the file again",
                param="input_file_id",
            )
        if it.counters is not None:
            if past is not None:
                await past.learn([(it, scope, most_nanousd)])
            reading = it.counters.read(scope, most_nanousd, moment())
        else:
            reading = (await read_shared([(it, scope)], receipt))[0]
        if most_nanousd and reading.used + most_nanousd > reading.allowed:
            larger = most_nanousd > reading.allowed
            found = replace(reading, retry_s=None if larger else reading.retry_s or 1.0)
            raise it.kind.refusal(it.limit, scope_text(it.limit, scope), found)


def charge(
    receipt: Receipt, key: KeyRecord, plan: PreparedPlan, past: Past | None, id: str
) -> None:
    """Counts what `receipt`, which stands for some lines, has cost. A budget that knows nothing of
    its past yet is not told: it begins with the ledger, and so with these lines. To be called in
    the turn of the loop in which their receipts are appended; `id` is used once. A store that is
    away is told when it is back: what is spent is spent."""
    nanousd = receipt.cost_nanousd
    if not nanousd:
        return
    now, number = moment(), 0
    for it, scope in [one for gate in _gates(receipt, key, plan) for one in _of(gate, receipt)]:
        if _is_over(it, receipt, now):
            continue
        if it.shared is not None:
            counters = it.shared.store.counters
            want = it.shared.want(scope, 0, receipt, counters.wall_s())
            counters.spent(f"{id}.{number}", want, nanousd)
            number += 1
        elif it.counters is not None and (past is None or _knows(it, scope, now)):
            ticket = it.take(scope, 0, now)
            if ticket is not None:
                it.give_back(scope, ticket, 0, nanousd, now)


def _is_over(it: InForce, receipt: Receipt, now: Moment) -> bool:
    """Whether the period is over in which the batch began."""
    shape = it.shape
    if not isinstance(shape, Calendar):
        return False
    return receipt.started_at_s < period_at(shape.unit, shape.time_zone, now.wall_s).start_s


def _knows(it: InForce, scope: str, now: Moment) -> bool:
    return it.knows is None or it.knows(scope, now)


def _gates(receipt: Receipt, key: KeyRecord, plan: PreparedPlan) -> Iterator[Gate]:
    yield plan.limits.gate(key, receipt)
    yield plan.limits.target_gate


def _of(gate: Gate, receipt: Receipt) -> Iterator[tuple[InForce, str]]:
    for it in gate.money:
        scope = gate.wanted(it, receipt)
        if scope is not None:
            yield it, scope
