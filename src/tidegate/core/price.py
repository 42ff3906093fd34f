"""What a target's tokens cost: integers in nano-dollars a million tokens, pinned with the version
of the table they came from."""

from typing import Literal

from msgspec import Struct


class Rate(Struct, frozen=True, omit_defaults=True):
    """Price of one token class.

    `tiers` holds (input tokens, nano-dollars a million tokens), ascending: a request whose whole
    input exceeds a tier's start is priced at that tier for every token of this class.
    """

    nanousd_per_mtok: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, total_input_tokens: int) -> int:
        rate = self.nanousd_per_mtok
        for start, tier_rate in self.tiers:
            if total_input_tokens > start:
                rate = tier_rate
        return rate


class ImagePrice(Struct, frozen=True, omit_defaults=True):
    """What one image costs of this size and quality; None is any."""

    nanousd: int
    size: str | None = None
    quality: str | None = None


class Price(Struct, frozen=True, omit_defaults=True):
    """What a target's tokens cost. A class without a rate of its own is priced by `cost`'s rule.

    `service_tiers` are prices in place of this one, by the name of the provider's class of service.
    What is sold by other units has a price for each: an image, an hour of audio, a million
    characters, a search.
    """

    version: str
    source: Literal["plan", "gpu_hour", "free", "genai-prices"]
    input: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    output: Rate | None = None
    reasoning: Rate | None = None
    request_nanousd: int = 0
    audio_input: Rate | None = None
    audio_output: Rate | None = None
    cache_write_1h: Rate | None = None
    image_input: Rate | None = None
    image_output: Rate | None = None
    images: tuple[ImagePrice, ...] = ()
    audio_nanousd_per_h: int | None = None
    nanousd_per_mchar: int | None = None
    search_nanousd: int | None = None
    service_tiers: "tuple[tuple[str, Price], ...]" = ()
