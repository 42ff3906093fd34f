"""Published prices, offline, from the table that the package `genai-prices` carries.

A price is looked up once, when a plan is compiled, and pinned with the package's version, the
model's entry and the date from which that entry holds. Tokens of text, audio and images, requests,
hours of audio and characters are priced, in the usual class of service.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from tidegate.core.facts import Quote
from tidegate.core.price import Price, Rate
from tidegate.core.units import usd_to_nanousd

# The table's name of a dialect's usual seller, where it is another.
_SELLERS = {
    "azure_openai": "azure",
    "gemini": "google",
    "moonshot": "moonshotai",
    "vertex": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
}
# What its seller says costs nothing, by the beginning of its name: the table has no word for that.
# platform.openai.com/docs/guides/moderation: "free to use".
_FREE = {"openai": ("omni-moderation", "text-moderation")}


class PriceTable:
    """The table as it holds at `now_s` (wall-clock seconds)."""

    def __init__(self, now_s: float, snapshot: DataSnapshot | None = None) -> None:
        self._now = datetime.fromtimestamp(now_s, UTC)
        self._snapshot = snapshot or get_snapshot()
        self._version = version("genai-prices")

    def quote(self, dialect: str, base_url: str, model: str) -> Quote:
        """What the provider at `base_url`, or the one that `dialect` names, asks for `model`."""
        seller = self._seller(base_url)
        known_as = _SELLERS.get(dialect, dialect)
        named = (p for p in self._snapshot.providers if p.id == known_as)
        provider = seller or next(named, None)
        if provider is None:
            return Quote(None, sold=False)
        # Elsewhere it is somebody else's to give away.
        if model.startswith(_FREE.get(provider.id, ())) and (seller or not base_url):
            free = Price(version=f"free at {provider.id}", source="free")
            return Quote(free, sold=seller is not None)
        found = provider.find_model(model, all_providers=self._snapshot.providers)
        price = None if found is None else self._price(provider, found)
        return Quote(price, sold=seller is not None)

    def _seller(self, base_url: str) -> Provider | None:
        plain = re.sub(r":(443|80)(?=/|$)", "", base_url)
        for provider in self._snapshot.providers:
            if re.match(provider.api_pattern, plain):
                return provider
        return None

    def _price(self, provider: Provider, model: ModelInfo) -> Price | None:
        prices, variant = self._in_force(model)
        per_hour = _nanousd(prices.input_audio_hours or prices.audio_hours)
        per_mchar = _nanousd(prices.input_mchars)
        sold = (prices.input_mtok, prices.output_mtok, per_hour, per_mchar)
        if all(price is None for price in sold):
            return None
        name = f"genai-prices {self._version} {provider.id}/{model.id}{variant}"
        per_thousand = prices.requests_kcount
        request = per_thousand / 1000 if isinstance(per_thousand, Decimal) else Decimal(0)
        return Price(
            version=name,
            source="genai-prices",
            input=_rate(prices.input_mtok),
            cache_read=_rate(prices.cache_read_mtok),
            cache_write=_rate(prices.cache_write_mtok),
            output=_rate(prices.output_mtok),
            reasoning=_rate(prices.output_reasoning_mtok),
            request_nanousd=usd_to_nanousd(request),
            audio_input=_rate(prices.input_audio_mtok),
            audio_output=_rate(prices.output_audio_mtok),
            cache_write_1h=_rate(prices.cache_write_1h_mtok),
            image_input=_rate(prices.input_image_mtok),
            image_output=_rate(prices.output_image_mtok),
            audio_nanousd_per_h=per_hour,
            nanousd_per_mchar=per_mchar,
        )

    def _in_force(self, model: ModelInfo) -> tuple[ModelPrice, str]:
        """The prices that hold now, and which of the dated variants they are.

        Prices that change with the hour cannot be pinned; of these the dearest is taken, so that
        a cost is never understated.
        """
        if isinstance(model.prices, ModelPrice):
            return model.prices, ""
        start = _newest(model.prices, self._now)
        chosen, variant = model.prices[start], ""
        if isinstance(chosen.constraint, StartDateConstraint):
            variant = f" from {chosen.constraint.start_date}"
        hourly = [
            p for p in model.prices[start + 1 :] if isinstance(p.constraint, TimeOfDateConstraint)
        ]
        dearest = max([chosen, *hourly], key=lambda p: _weight(p.prices))
        return dearest.prices, variant + (" dearest hour" if hourly else "")


def _newest(prices: list[ConditionalPrice], now: datetime) -> int:
    """Index of the last entry without an hour that is in force; the first when none is."""
    for index in range(len(prices) - 1, -1, -1):
        constraint = prices[index].constraint
        if constraint is None:
            return index
        if isinstance(constraint, StartDateConstraint) and constraint.active(now):
            return index
    return 0


def _weight(prices: ModelPrice) -> Decimal:
    both = (prices.input_mtok, prices.output_mtok)
    bases = [p.base if isinstance(p, TieredPrices) else p for p in both if p is not None]
    return sum(bases, Decimal(0))


def _nanousd(price: Decimal | TieredPrices | None) -> int | None:
    """What is sold by the hour or the character has no tiers."""
    return usd_to_nanousd(price) if isinstance(price, Decimal) else None


def _rate(price: Decimal | TieredPrices | None) -> Rate | None:
    if price is None:
        return None
    if isinstance(price, Decimal):
        return Rate(usd_to_nanousd(price))
    tiers = tuple((t.start, usd_to_nanousd(t.price)) for t in price.tiers)
    return Rate(usd_to_nanousd(price.base), tiers)


plug = PriceTable
