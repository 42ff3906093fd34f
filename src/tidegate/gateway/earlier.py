"""What the attempts before the last have come to, and took: costs are of all attempts, each where
it was spent."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.limit import Counters, of_target
from tidegate.core.receipt import Receipt
from tidegate.gateway.in_force import InForce
from tidegate.stores.spending import MAX_COST_NANOUSD, parted, spent_nanousd


class Wasted(Struct, frozen=True):
    """What one attempt may have cost, and which counters of limits by target count it already."""

    cost: EarlierCost
    counted: Sequence[Counters]


class Earlier(Struct):
    """`cost_nanousd` is what is known of their cost; `most_nanousd` the most that the rest can have
    been, and `unknown` says that there is such a rest. `unpriced`: nobody knows even that.
    """

    cost_nanousd: int = 0
    most_nanousd: int = 0
    unknown: bool = False
    unpriced: bool = False
    took_s: float = 0.0
    wasted: list[Wasted] = []


def keep_cost(earlier: Earlier, receipt: Receipt, counted: Sequence[Counters]) -> None:
    """What the attempt came to that has ended; `counted` are the counters that it was held of."""
    nanousd = receipt.cost_nanousd
    if nanousd is not None:
        earlier.cost_nanousd += nanousd
    else:
        nanousd = receipt.most_nanousd
        earlier.unknown = True
        earlier.unpriced = earlier.unpriced or nanousd is None
        earlier.most_nanousd += nanousd or 0
    if nanousd:
        cost = EarlierCost(nanousd, receipt.target, receipt.provider, receipt.model_wanted)
        earlier.wasted.append(Wasted(cost, counted))


def add_earlier(receipt: Receipt, earlier: Earlier) -> bool:
    """Costs are of all attempts. Whether those before the last may have cost anything."""
    elsewhere = [one.cost for one in earlier.wasted if one.cost.target != receipt.target]
    receipt.earlier_costs = elsewhere or None
    cost, most = receipt.cost_nanousd, receipt.most_nanousd
    if cost is not None and not earlier.unknown:
        receipt.cost_nanousd = cost + earlier.cost_nanousd
        return earlier.cost_nanousd > 0
    own = cost if cost is not None else most
    receipt.cost_nanousd = receipt.most_nanousd = None
    if own is not None and not earlier.unpriced:
        total_nanousd = own + earlier.cost_nanousd + earlier.most_nanousd
        receipt.most_nanousd = min(total_nanousd, MAX_COST_NANOUSD)
    return True


def attempts_apart(
    receipt: Receipt, earlier: Earlier | None, taken: Iterable[InForce]
) -> Iterator[tuple[Receipt, int, list[Counters]]]:
    """(who stands for it, nano-dollars, the counters that count it already) of each attempt that
    cost anything; `taken` are the limits that the request is held of to its end."""
    spent, held = spent_nanousd(receipt), list(taken)
    counted = [it.counters for it in held if it.counters is not None]
    if earlier is None:
        yield receipt, spent, counted
        return
    wasted = earlier.wasted
    *before, last = parted(receipt, spent, [one.cost for one in wasted])
    of_caller = [it.counters for it in held if it.counters is not None and not of_target(it.limit)]
    for (part, nanousd), one in zip(before, wasted, strict=True):
        yield part, nanousd, [*of_caller, *one.counted]
    yield *last, counted
