"""Which of several targets a request goes to first, by the route's rule. Pure, but for chance."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Balance
from tidegate.gateway.places import Places
from tidegate.gateway.prepared_route import PreparedShare
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.rendezvous import rank

# What a request is priced at to find the cheapest: tokens of output, where its caller set none.
TYPICAL_OUTPUT_TOKENS: Final = 256
BYTES_A_TOKEN: Final = 4
# One in so many goes by weight where the fastest serves, or nobody would learn who is faster now.
EXPLORED: Final = 20

PlacesOf = Callable[[PreparedTarget], Places]
Shares = Sequence[PreparedShare]


def balanced(by: Balance, shares: Shares, receipt: Receipt, places_of: PlacesOf) -> PreparedTarget:
    """One of `shares`, of which there is one at least. Throughput that is paid for anyway goes
    first, as long as it has room."""
    if len(shares) > 1:
        shares = _provisioned(shares, places_of)
    if len(shares) == 1:
        return shares[0].target
    return _BALANCES[by](shares, receipt, places_of).target


def _provisioned(shares: Shares, places_of: PlacesOf) -> Shares:
    paid_for = [share for share in shares if share.target.target.provisioned]
    if not paid_for:
        return shares
    with_room = [share for share in paid_for if _has_room(places_of(share.target))]
    return with_room or [s for s in shares if not s.target.target.provisioned] or shares


def _has_room(places: Places) -> bool:
    return not places.line.count and places.in_flight < places.limit.limit


def _weighted(shares: Shares, receipt: Receipt, places_of: PlacesOf) -> PreparedShare:
    at = clock.fraction() * sum(share.weight for share in shares)
    for share in shares:
        at -= share.weight
        if at < 0:
            return share
    return shares[-1]


def _least_in_flight(shares: Shares, receipt: Receipt, places_of: PlacesOf) -> PreparedShare:
    """By its weight: one of twice the weight has twice as many. Of equals, by weight and chance."""
    loads = [(places_of(share.target).in_flight + 1) / share.weight for share in shares]
    least = min(loads)
    equals = [share for share, load in zip(shares, loads, strict=True) if load == least]
    return _weighted(equals, receipt, places_of)


def _cheapest(shares: Shares, receipt: Receipt, places_of: PlacesOf) -> PreparedShare:
    """At most, for a request of this length; one whose price nobody knows comes last."""
    input_tokens = (receipt.input_bytes or 0) // BYTES_A_TOKEN
    output_tokens = receipt.output_ceiling_tokens or TYPICAL_OUTPUT_TOKENS
    costs = []
    for share in shares:
        ceiling = share.target.ceiling
        cost = None if ceiling is None else ceiling.nanousd(input_tokens, output_tokens)
        costs.append(math.inf if cost is None else cost)
    least = min(costs)
    equals = [share for share, cost in zip(shares, costs, strict=True) if cost == least]
    return _weighted(equals, receipt, places_of)


def _fastest(shares: Shares, receipt: Receipt, places_of: PlacesOf) -> PreparedShare:
    """By what it took lately: to the first token of a stream, or for a whole answer. Of one that
    nobody knows yet one request at a time finds it out, for it may be slow."""
    streamed = receipt.stream
    paces = [(s.target.pace.streamed_s if streamed else s.target.pace.whole_s) for s in shares]
    known = [(share, pace) for share, pace in zip(shares, paces, strict=True) if pace is not None]
    unknown = [share for share, pace in zip(shares, paces, strict=True) if pace is None]
    idle = [share for share in unknown if not places_of(share.target).in_flight]
    if idle:
        return _weighted(idle, receipt, places_of)
    if not known or clock.fraction() * EXPLORED < 1:
        return _weighted(shares, receipt, places_of)
    return min(known, key=lambda pair: pair[1])[0]


def _sticky(shares: Shares, receipt: Receipt, places_of: PlacesOf) -> PreparedShare:
    """The same for the same session, as long as it is there, also in another process."""
    whose = stays_with(receipt)
    return max(shares, key=lambda share: rank(whose, share.target.target.name, share.weight))


def stays_with(receipt: Receipt) -> str:
    """Whose requests stay together."""
    return receipt.session or receipt.key_id or ""


_BALANCES: Final[Mapping[Balance, Callable[[Shares, Receipt, PlacesOf], PreparedShare]]] = {
    "weighted": _weighted,
    "least_in_flight": _least_in_flight,
    "cheapest": _cheapest,
    "fastest": _fastest,
    "sticky": _sticky,
}
