"""What was spent, as rows that fill the counters which several gateways share."""

from collections.abc import Iterable, Sequence

from tidegate.core.limit import SEPARATOR, Calendar, Rolling
from tidegate.core.periods import period_at
from tidegate.core.receipt import Receipt
from tidegate.gateway.in_force import InForce
from tidegate.stores.redis_wants import Want
from tidegate.stores.spend_reader import EXACT_WINDOW_S
from tidegate.stores.spending import ROLLED_UP

# A receipt, or what stands for many of one quarter-hour, and the nano-dollars of it.
Spent = tuple[Receipt, int]
# Whose it is by dimension, on the wall clock, nano-dollars.
Opening = tuple[dict[str, str], float, int]


def needs_receipts(it: InForce) -> bool:
    """Whether the rollup does not tell what this limit counts."""
    names = (*it.limit.scope, *(name for name, _ in it.limit.only))
    return not ROLLED_UP.keys() >= {*names} or 0 < (it.limit.per_s or 0) <= EXACT_WINDOW_S


def since_s(it: InForce, wall_s: float) -> float:
    """Before which nothing counts any more."""
    shape = it.shape
    if isinstance(shape, Calendar):
        return float(period_at(shape.unit, shape.time_zone, wall_s).start_s)
    if isinstance(shape, Rolling):
        return wall_s - shape.window_s * (1 + 1 / shape.bins)
    raise TypeError(f"{it.limit.name}: money is not counted in {shape!r}")


def rows(limits: Sequence[InForce], spent: Iterable[Spent], wall_s: float) -> list[Want]:
    """So much for each counter of these limits, and each time that a rolling window goes by."""
    starts = [(it, since_s(it, wall_s)) for it in limits]
    sums: dict[tuple[InForce, str, str | None, float], tuple[Receipt, int]] = {}
    for receipt, amount in spent:
        at_s = receipt.started_at_s
        for it, start_s in starts:
            scope = it.scope_of(receipt) if at_s >= start_s and it.applies(receipt) else None
            if scope is None:
                continue
            rolls_s = at_s if isinstance(it.shape, Rolling) else 0.0
            place = it, scope, receipt.team, rolls_s
            sums[place] = receipt, amount + sums.get(place, (receipt, 0))[1]
    return [
        it.shared.want(scope, amount, receipt, wall_s, at_s)
        for (it, scope, _, at_s), (receipt, amount) in sums.items()
        if it.shared is not None
    ]


def opening_rows(
    limits: Sequence[InForce], openings: Iterable[Opening], wall_s: float
) -> list[Want]:
    """The same of what was spent before Tidegate counted, by those limits whose scope it is."""
    wanted = []
    for values, at_s, nanousd in openings:
        for it in limits:
            only = dict(it.limit.only)
            same = values.keys() == {*it.limit.scope, *only} and only.items() <= values.items()
            if it.shared is None or not same or at_s < since_s(it, wall_s):
                continue
            scope = SEPARATOR.join(values[name] for name in it.limit.scope)
            who = Receipt("", at_s, "", "chat", team=values.get("team"))
            rolls_s = at_s if isinstance(it.shape, Rolling) else 0.0
            wanted.append(it.shared.want(scope, nanousd, who, wall_s, rolls_s))
    return wanted
