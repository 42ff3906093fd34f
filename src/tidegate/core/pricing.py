"""A price as the plan writes it, to a Price in integers pinned by a version of its own."""

import hashlib
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec
from msgspec.structs import replace

from tidegate.core.declared_prices import DeclaredPrice, GpuPrice, TokenPrice
from tidegate.core.plan import Price, Rate
from tidegate.core.units import NANOUSD_PER_USD, TOKENS_PER_MTOK, usd_to_nanousd

MAX_NANOUSD_PER_MTOK = 10**15  # a dollar a token: beyond it somebody slipped
_SECONDS_PER_HOUR = 3600


def declared_price(declared: DeclaredPrice) -> Price:
    """The Price. ValueError when it prices nothing, or a token dearer than a dollar."""
    if isinstance(declared, TokenPrice):
        price = _token_price(declared)
    elif isinstance(declared, GpuPrice):
        price = _gpu_price(declared)
    else:
        return Price(version="free", source="free")
    digest = hashlib.sha256(msgspec.msgpack.encode(price, order="deterministic")).hexdigest()
    return replace(price, version=f"plan:{digest[:8]}")


def gpu_rate(price: GpuPrice, tokens_per_s: float) -> Rate:
    """gpus x gpu_hour_usd / 3600 / tokens a second, as nano-dollars a million tokens."""
    usd_per_s = price.gpus * price.gpu_hour_usd / _SECONDS_PER_HOUR
    per_mtok = usd_per_s * TOKENS_PER_MTOK * NANOUSD_PER_USD / Decimal(repr(tokens_per_s))
    if per_mtok > MAX_NANOUSD_PER_MTOK:
        raise ValueError("these figures make a token dearer than a dollar; check their units")
    return Rate(int(per_mtok.to_integral_value(ROUND_HALF_EVEN)))


def _gpu_price(price: GpuPrice) -> Price:
    return Price(
        version="",
        source="gpu_hour",
        input=gpu_rate(price, price.input_tokens_per_s),
        output=gpu_rate(price, price.output_tokens_per_s),
    )


def _token_price(price: TokenPrice) -> Price:
    if price.input_usd_per_mtok is None and price.output_usd_per_mtok is None:
        raise ValueError("a price needs input_usd_per_mtok, output_usd_per_mtok or both, or `free`")
    return Price(
        version="",
        source="plan",
        input=_rate(price.input_usd_per_mtok),
        cache_read=_rate(price.cache_read_usd_per_mtok),
        cache_write=_rate(price.cache_write_usd_per_mtok),
        output=_rate(price.output_usd_per_mtok),
        reasoning=_rate(price.reasoning_usd_per_mtok),
        request_nanousd=usd_to_nanousd(price.request_usd or Decimal(0)),
    )


def _rate(usd_per_mtok: Decimal | None) -> Rate | None:
    return None if usd_per_mtok is None else Rate(usd_to_nanousd(usd_per_mtok))


class Ceiling:
    """The most that so many tokens can cost at a price.

    Input may turn out to be a write to a cache and output to be reasoning, and a request that is
    shorter than its bound may fall into a dearer tier: the dearest of all of them counts.
    """

    __slots__ = ("_free", "_input", "_output", "_price", "_rates")

    def __init__(self, price: Price) -> None:
        self._price = price
        self._free = price.source == "free"
        self._input = _steps((price.input, price.cache_read, price.cache_write))
        self._output = _steps((price.output, price.reasoning))
        # Where no tier changes them, as in most prices: nano-dollars a million tokens.
        self._rates: tuple[int, int] | None = None
        if len(self._input) == len(self._output) == 1:
            self._rates = self._input[0][1], self._output[0][1]

    def nanousd(self, input_tokens: int, output_tokens: int) -> int | None:
        """Rounded up; None when a rate is missing."""
        if self._free:
            return 0
        if self._rates is not None:
            charged = input_tokens * self._rates[0] + output_tokens * self._rates[1]
        else:
            of_input = _charged(input_tokens, self._input, input_tokens)
            of_output = _charged(output_tokens, self._output, input_tokens)
            if of_input is None or of_output is None:
                return None
            charged = of_input + of_output
        return self._price.request_nanousd - (-charged // TOKENS_PER_MTOK)


def _charged(tokens: int, steps: tuple[tuple[int, int], ...], input_tokens: int) -> int | None:
    """Nano-dollars for a million times so many tokens; None when there is no rate."""
    if not tokens or not steps:
        return None if tokens else 0
    return tokens * max(nanousd for start, nanousd in steps if start <= max(input_tokens, 0))


def _steps(rates: tuple[Rate | None, ...]) -> tuple[tuple[int, int], ...]:
    """(input tokens, nano-dollars a million tokens) of the dearest rate so far, ascending."""
    given = [rate for rate in rates if rate is not None]
    starts = sorted({0, *(start for rate in given for start, _ in rate.tiers)})
    steps: list[tuple[int, int]] = []
    for start in starts if given else ():
        dearest = max(rate.at(tokens) for rate in given for tokens in (start, start + 1))
        steps.append((start, max(dearest, steps[-1][1] if steps else 0)))
    return tuple(steps)
