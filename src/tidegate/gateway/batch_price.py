"""batch_price: the price of a batch as its ids carry it, so that its lines cost what they were sent
for, whatever the plan says on the day on which their results are read."""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.price import Price, Rate

# By their places here, so that none is to be moved: what a line of a batch can be charged for.
_RATES: Final = (
    *("input", "cache_read", "cache_write", "output", "reasoning"),
    *("audio_input", "audio_output", "cache_write_1h"),
)


class Pinned(Struct, frozen=True, array_like=True, omit_defaults=True):
    """A rate is its place, nano-dollars a million tokens, and then where each tier starts and what
    it costs."""

    version: str
    source: Literal["plan", "gpu_hour", "free", "genai-prices"]
    rates: tuple[tuple[int, ...], ...] = ()
    request_nanousd: int = 0


def pinned(price: Price | None) -> Pinned | None:
    if price is None:
        return None
    given = [(place, getattr(price, name)) for place, name in enumerate(_RATES)]
    rates = tuple(
        (place, rate.nanousd_per_mtok, *(number for tier in rate.tiers for number in tier))
        for place, rate in given
        if rate is not None
    )
    return Pinned(price.version, price.source, rates, price.request_nanousd)


def price_of(it: Pinned) -> Price:
    """The price that was pinned, of tokens."""
    rates = {
        _RATES[place]: Rate(nanousd, tuple(zip(tiers[::2], tiers[1::2], strict=True)))
        for place, nanousd, *tiers in it.rates
    }
    return replace(Price(it.version, it.source, request_nanousd=it.request_nanousd), **rates)
