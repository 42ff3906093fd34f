"""metering: the most that a request which is no chat can come to, before anybody works on it."""

from tidegate.core.ask import Ask
from tidegate.core.limit import Demand
from tidegate.core.metered import Metered
from tidegate.core.receipt import Receipt
from tidegate.core.unit_cost import most_tokens, most_unit_nanousd, sells_tokens
from tidegate.gateway.prepared_target import Priced


def demand_of_units(ask: Ask, metered: Metered, receipt: Receipt, target: Priced) -> Demand:
    """Bounds from above: of tokens only where the request has some that somebody may tell."""
    into = out = 0
    if any(sells_tokens(ask.endpoint, price) for price in target.prices):
        into, out = most_tokens(metered, ask.endpoint, target.target)
    demand = Demand(ask, receipt, into, False, out, 1, input_counted=True)
    price_units(demand, metered, target)
    return demand


def price_units(demand: Demand, metered: Metered, target: Priced) -> None:
    """What it can cost at most, at the dearest of what may serve it; None when nobody knows."""
    endpoint, most = demand.ask.endpoint, 0
    for price in target.prices:
        nanousd = most_unit_nanousd(metered, endpoint, price, target.target)
        if nanousd is None:
            demand.cost_nanousd = None
            return
        most = max(most, nanousd)
    demand.cost_nanousd = most
