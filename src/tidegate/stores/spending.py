"""What was spent, as it is rolled up: by quarter-hour and by what never changes within one.

Every time zone's hours and midnights are whole quarters of UTC, so a sum over quarters is exact
for every period of a calendar. Without SQL: gateways read by these words too.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from tidegate.core.earlier_cost import EarlierCost, split
from tidegate.core.limit import SEPARATOR
from tidegate.core.receipt import Receipt

QUARTER_S: Final = 900
# A rolling budget reaches back 366 days, and a year's begins as long ago.
KEPT_S: Final = 400 * 86_400.0  # by quarters; what is before stays as one sum
# No request costs as much; a figure beyond is a mistake and would overflow every sum.
MAX_COST_NANOUSD: Final = 10**15
_LAST_QUARTER: Final = 10**9  # some time in the year 30,000; what lies beyond is no date

# What a budget's scope can be made of, and the column that tells it apart in the rollup.
ROLLED_UP: Final[Mapping[str, str]] = {
    "key": "key_id",
    "team": "team",
    "customer": "customer",
    "route": "route",
    "environment": "environment",
    "target": "target",
    "model": "model_wanted",
    "provider": "provider",
}
# What only the receipts tell apart: it has too many values to be summed up.
IN_RECEIPTS: Final[Mapping[str, str]] = {
    "end_user": "end_user",
    "session": "session_id",
    "trace": "trace_id",
}
# This and attributes have no column: a receipt's own bytes tell them.
PROMPT: Final = "prompt"


def opening_of(scope: Mapping[str, str]) -> tuple[str, str]:
    """What an opening balance of this scope is called: its dimensions in order, their values."""
    names = sorted(scope)
    return ",".join(names), SEPARATOR.join(scope[name] for name in names)


def quarter_of(at_s: float) -> int:
    """The quarter-hour of UTC that holds `at_s`; 0 for what is no date."""
    if not 0 <= at_s < _LAST_QUARTER * QUARTER_S:  # nor when it is no number
        return 0
    return int(at_s // QUARTER_S)


def spent_nanousd(receipt: Receipt) -> int:
    """What a receipt counts in a budget: its cost, or the most that it can be while unknown; of
    the gateway's own requests nothing, and below 0 of a hold that has ended."""
    if receipt.is_own:
        return 0
    cost = receipt.cost_nanousd
    if cost is not None and 0 <= cost <= MAX_COST_NANOUSD:
        return cost
    most = receipt.most_nanousd
    least = -MAX_COST_NANOUSD if receipt.is_hold else 0
    return most if most is not None and least <= most <= MAX_COST_NANOUSD else 0


def parted(
    receipt: Receipt, spent_nanousd: int, costs: Iterable[EarlierCost]
) -> list[tuple[Receipt, int]]:
    """What was spent, by where: for each of these costs who stands for it and the nano-dollars of
    it, and then the receipt with the rest. They add up to what was spent."""
    parts, left = split(spent_nanousd, costs)
    stood_for = [
        (replace(receipt, target=it.target, provider=it.provider, model_wanted=it.model_wanted), n)
        for it, n in parts
    ]
    return [*stood_for, (receipt, left)]


def spent_by_target(receipt: Receipt) -> list[tuple[Receipt, int]]:
    """(who stands for it, nano-dollars) for each target that anything was spent at."""
    spent = spent_nanousd(receipt)
    if not spent or not receipt.earlier_costs:
        return [(receipt, spent)] if spent else []
    return [one for one in parted(receipt, spent, receipt.earlier_costs) if one[1]]
