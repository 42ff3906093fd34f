"""What LiteLLM's file says that a deployment costs, as our `price`."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tidegate.config.moving import Findings
from tidegate.config.their_file import Their
from tidegate.core.declared_prices import TokenPrice
from tidegate.core.facts import Quote
from tidegate.core.price import Price
from tidegate.core.pricing import declared_price

_MILLION: Final = 1_000_000
_MINUTE_S: Final = 60
_MOST_USD: Final = 1_000_000
_DIGITS: Final = 9
# Their dollars for one, what ours is called, and how many of it ours are for.
_TOKENS: Final = {
    "input_cost_per_token": "input_usd_per_mtok",
    "output_cost_per_token": "output_usd_per_mtok",
    "cache_read_input_token_cost": "cache_read_usd_per_mtok",
    "cache_creation_input_token_cost": "cache_write_usd_per_mtok",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h_usd_per_mtok",
    "output_cost_per_reasoning_token": "reasoning_usd_per_mtok",
    "input_cost_per_audio_token": "audio_input_usd_per_mtok",
    "output_cost_per_audio_token": "audio_output_usd_per_mtok",
    "input_cost_per_image_token": "image_input_usd_per_mtok",
    "output_cost_per_image_token": "image_output_usd_per_mtok",
}
_UNITS: Final = {
    "output_cost_per_image": ("image_usd", 1),
    "input_cost_per_audio_per_second": ("audio_usd_per_min", _MINUTE_S),
    "input_cost_per_character": ("input_usd_per_mchar", _MILLION),
    "input_cost_per_query": ("search_usd", 1),
}
_BOTH: Final = {"input_usd_per_mtok", "output_usd_per_mtok"}
# Of one rate each, and what a price calls it.
_RATES: Final = {
    "input_usd_per_mtok": "input",
    "output_usd_per_mtok": "output",
    "cache_read_usd_per_mtok": "cache_read",
    "cache_write_usd_per_mtok": "cache_write",
    "cache_write_1h_usd_per_mtok": "cache_write_1h",
    "reasoning_usd_per_mtok": "reasoning",
    "audio_input_usd_per_mtok": "audio_input",
    "audio_output_usd_per_mtok": "audio_output",
    "image_input_usd_per_mtok": "image_input",
    "image_output_usd_per_mtok": "image_output",
}
_DOLLARS: Final = "write an amount in dollars"

# As a plan has it.
Written = dict[str, Any] | str | None


def price_of(params: Their, info: Their, found: Findings) -> Written:
    """The price that they say; None where they say none that is whole."""
    price: dict[str, float] = {}
    of = {name: (ours, _MILLION) for name, ours in _TOKENS.items()} | _UNITS
    for theirs, (ours, times) in of.items():
        where = f"targets.NAME.price.{ours}"
        amount = params.read(theirs, where, _times(times), _DOLLARS)
        also = info.read(theirs, where, _times(times), _DOLLARS)
        amount = also if amount is None else amount
        if amount is not None:
            price[ours] = amount
    units = {ours for ours, _ in _UNITS.values()}
    if price.keys() >= _BOTH or (price.keys() & units and not price.keys() & _BOTH):
        return price if any(price.values()) else "free"
    if price:
        said = "a price needs both of input and output: write it into the plan"
        found.left("model_list[].litellm_params.input_cost_per_token alone", said)
    return None


def price_as(
    told: tuple[str, str], base: Price | None, own: Price | None, found: Findings
) -> Written:
    """The price of the model that a deployment is `told` to be (where, and which), in place of its
    `own` name's; None where that is the same, or no price here says it."""
    where, model = told
    if not model:
        return None
    price = None if base is None else _written(base)
    if base is None or price is None:
        said = "no price here says what it costs: write `price`, or its own name's is taken"
        found.left(f"{where}: {model[:60]}", said)
        return None
    found.carried(where, "targets.NAME.price, as it is published today")
    return None if own is not None and _rates(own) == _rates(base) else price


def _written(price: Price) -> Written:
    """None where it is more than tokens at one rate each."""
    if price.source == "free":
        return "free"
    rates = ((ours, getattr(price, name)) for ours, name in _RATES.items())
    written = {ours: rate.nanousd_per_mtok / 10**9 for ours, rate in rates if rate is not None}
    try:
        same = _rates(declared_price(msgspec.convert(written, TokenPrice, strict=False)))
    except ValueError:  # it has none
        return None
    return written if same == _rates(price) else None


def _rates(price: Price) -> Price:
    return replace(price, version="", source="plan")


def price_unsaid(name: str, quoted: Quote, *, own: bool, found: Findings) -> str | None:
    """LiteLLM counts nothing for what its list has no price of, and keys with budgets call it;
    here a hard budget refuses what nobody knows the price of. An engine of one's `own` is free, as
    there."""
    if quoted.price is not None:
        return None
    where = f"model_list: the price of {name[:60]}"
    if own and not quoted.sold:
        said = "as there; write `price` with GPU-hours to count what your engine costs"
        found.changed(where, "price: free", said)
        return "free"
    found.left(where, "nobody knows it here, and hard budgets refuse it: write `price`")
    return None


def _times(many: int) -> Callable[[object], float | None]:
    def read(value: object) -> float | None:
        if isinstance(value, bool):
            return None
        try:
            dollars = Decimal(str(value)) * many
        except (ArithmeticError, ValueError):  # of thousands of digits
            return None
        fits = dollars.is_finite() and 0 <= dollars <= _MOST_USD
        return float(round(dollars, _DIGITS)) if fits else None

    return read
