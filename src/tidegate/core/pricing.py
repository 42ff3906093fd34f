"""A price as the plan writes it, to a Price in integers pinned by a version of its own."""

import hashlib
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from tidegate.core.declared_prices import DeclaredPrice, GpuPrice, TierPrice, TokenPrice
from tidegate.core.price import ImagePrice, Price, Rate
from tidegate.core.units import NANOUSD_PER_USD, TOKENS_PER_MTOK, usd_to_nanousd

MAX_NANOUSD_PER_MTOK = 10**15  # a dollar a token: beyond it somebody slipped
_SECONDS_PER_HOUR = 3600
# One of these says what something costs.
_SOLD_BY: Final = (
    *("input_usd_per_mtok", "output_usd_per_mtok", "image_usd", "audio_usd_per_min"),
    *("input_usd_per_mchar", "search_usd"),
)
# Names of the usual class of service, and of one that costs less.
_CHOSEN_TIERS: Final = frozenset({"default", "flex", "on_demand", "standard", "standard_only"})
_USUAL_TIERS: Final = _CHOSEN_TIERS | {"auto"}
_RATES: Final = (
    *("input", "cache_read", "cache_write", "output", "reasoning"),
    *("audio_input", "audio_output", "cache_write_1h", "image_input", "image_output"),
)


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
    if not price.images and all(getattr(price, name) is None for name in _SOLD_BY):
        raise ValueError(
            "a price needs input_usd_per_mtok, output_usd_per_mtok or both, or `free`; what is no "
            "chat may have image_usd, images, audio_usd_per_min, input_usd_per_mchar or search_usd"
        )
    request_nanousd = usd_to_nanousd(price.request_usd or Decimal(0))
    tiers = sorted(price.service_tiers.items())
    return replace(
        _units(price, _rates(price, request_nanousd)),
        service_tiers=tuple((name, _rates(one, request_nanousd)) for name, one in tiers),
    )


def _units(price: TokenPrice, rates: Price) -> Price:
    """With what is sold by other units than the tokens of a text."""
    images = [_image(kind, usd) for kind, usd in sorted(price.images.items())]
    if price.image_usd is not None:
        images.append(ImagePrice(usd_to_nanousd(price.image_usd)))
    per_min = price.audio_usd_per_min
    return replace(
        rates,
        image_input=_rate(price.image_input_usd_per_mtok),
        image_output=_rate(price.image_output_usd_per_mtok),
        images=tuple(images),
        audio_nanousd_per_h=_nanousd(None if per_min is None else per_min * 60),
        nanousd_per_mchar=_nanousd(price.input_usd_per_mchar),
        search_nanousd=_nanousd(price.search_usd),
    )


def _image(kind: str, usd: Decimal) -> ImagePrice:
    size, _, quality = kind.partition(" ")
    return ImagePrice(usd_to_nanousd(usd), size, quality or None)


def _nanousd(usd: Decimal | None) -> int | None:
    return None if usd is None else usd_to_nanousd(usd)


def _rates(price: TokenPrice | TierPrice, request_nanousd: int) -> Price:
    return Price(
        version="",
        source="plan",
        input=_rate(price.input_usd_per_mtok),
        cache_read=_rate(price.cache_read_usd_per_mtok),
        cache_write=_rate(price.cache_write_usd_per_mtok),
        output=_rate(price.output_usd_per_mtok),
        reasoning=_rate(price.reasoning_usd_per_mtok),
        audio_input=_rate(price.audio_input_usd_per_mtok),
        audio_output=_rate(price.audio_output_usd_per_mtok),
        cache_write_1h=_rate(price.cache_write_1h_usd_per_mtok),
        request_nanousd=request_nanousd,
    )


def _rate(usd_per_mtok: Decimal | None) -> Rate | None:
    return None if usd_per_mtok is None else Rate(usd_to_nanousd(usd_per_mtok))


def is_by_tokens(price: Price) -> bool:
    """Whether it is the provider's, who may charge more for one token than for another; a token of
    what is free, or paid by the hour, costs the same whatever is asked for."""
    return price.source not in ("free", "gpu_hour")


def at_tier(price: Price, tier: str | None) -> Price | None:
    """What is charged in this class of service; None when nobody knows. One that costs no more than
    the usual is charged as that where it has no price of its own."""
    if tier is None or not is_by_tokens(price):
        return price
    for name, its in price.service_tiers:
        if name == tier:
            return its
    return price if tier in _USUAL_TIERS else None


def batch_price(price: Price, share: float) -> Price:
    """What a line of a batch costs: the class of service that is called `batch`, or that share of
    every rate. Free stays free, and a GPU's hour costs what it costs."""
    for name, its in price.service_tiers:
        if name == "batch":
            return replace(its, version=f"{price.version} batch")
    if share == 1 or not is_by_tokens(price):
        return replace(price, service_tiers=())
    part = Decimal(repr(share))
    rates = {name: _shared(getattr(price, name), part) for name in _RATES}
    request_nanousd = _rounded(price.request_nanousd * part)
    version = f"{price.version} x{share:g}"
    return replace(
        price, version=version, request_nanousd=request_nanousd, service_tiers=(), **rates
    )


def _shared(rate: Rate | None, part: Decimal) -> Rate | None:
    if rate is None:
        return None
    tiers = tuple((start, _rounded(nanousd * part)) for start, nanousd in rate.tiers)
    return Rate(_rounded(rate.nanousd_per_mtok * part), tiers)


def _rounded(nanousd: Decimal) -> int:
    return int(nanousd.to_integral_value(ROUND_HALF_EVEN))


class Ceiling:
    """The most that so many tokens can cost at a price.

    Input may turn out to be a write to a cache and output to be reasoning, and a request that is
    shorter than its bound may fall into a dearer tier: the dearest of all of them counts.
    `varies`: there are rates for audio, for what a cache keeps for an hour or for classes of
    service, of which `of` knows.
    """

    __slots__ = ("_free", "_input", "_others", "_output", "_price", "_rates", "varies")

    def __init__(
        self, price: Price, *, hears: bool = False, says: bool = False, keeps: bool = False
    ) -> None:
        self._price = price
        self._free = price.source == "free"
        self._others: dict[tuple[str | None, bool, bool, bool], Ceiling] = {}
        by_kind = price.audio_input or price.audio_output or price.cache_write_1h
        self.varies = bool(by_kind or price.service_tiers)
        prices = (price, *(one for _, one in price.service_tiers))
        self._input = _steps(
            *(it for one in prices for it in (one.input, one.cache_read, one.cache_write)),
            *(one.audio_input for one in prices if hears),
            *(one.cache_write_1h for one in prices if keeps),
        )
        self._output = _steps(
            *(it for one in prices for it in (one.output, one.reasoning)),
            *(one.audio_output for one in prices if says),
        )
        # Where no tier changes them, as in most prices: nano-dollars a million tokens.
        self._rates: tuple[int, int] | None = None
        if len(self._input) == len(self._output) == 1:
            self._rates = self._input[0][1], self._output[0][1]

    def of(self, tier: str | None, *, hears: bool, says: bool, keeps: bool) -> "Ceiling":
        """Of a request that chose this class of service, may have audio in its prompt, may get
        some, and may have a cache keep it for an hour. Without a choice of a class it is the
        provider's: any may be it."""
        price = self._price
        named = {name for name, _ in price.service_tiers} | _CHOSEN_TIERS
        place = (tier if tier in named else None, hears, says, keeps)
        found = self._others.get(place)
        if found is None:
            if place[0] is not None:
                own = tuple(one for one in price.service_tiers if one[0] == tier)
                price = replace(price, service_tiers=own)
            found = self._others[place] = Ceiling(price, hears=hears, says=says, keeps=keeps)
        return found

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


def _steps(*rates: Rate | None) -> tuple[tuple[int, int], ...]:
    """(input tokens, nano-dollars a million tokens) of the dearest rate so far, ascending."""
    given = [rate for rate in rates if rate is not None]
    starts = sorted({0, *(start for rate in given for start, _ in rate.tiers)})
    steps: list[tuple[int, int]] = []
    for start in starts if given else ():
        dearest = max(rate.at(tokens) for rate in given for tokens in (start, start + 1))
        steps.append((start, max(dearest, steps[-1][1] if steps else 0)))
    return tuple(steps)
