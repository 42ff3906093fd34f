"""A target's `price` in the plan file: a token's, or a GPU-hour's."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_scalars import Name, Rate, Usd

_CacheRead = Annotated[Usd | None, Meta(description="Input read from the provider's prefix cache.")]
_CacheWrite = Annotated[
    Usd | None, Meta(description="Input written to the provider's prefix cache.")
]
_CacheWrite1h = Annotated[
    Usd | None, Meta(description="Input that the cache keeps for an hour (`ttl: 1h`).")
]
_Reasoning = Annotated[Usd | None, Meta(description="Reasoning.")]
_AudioInput = Annotated[Usd | None, Meta(description="Audio in a prompt.")]
_AudioOutput = Annotated[Usd | None, Meta(description="Audio in an answer.")]
_ImageInput = Annotated[
    Usd | None, Meta(description="Tokens of images that are sent to be edited; else as input.")
]
_ImageOutput = Annotated[
    Usd | None, Meta(description="Tokens of images that are made; else as output.")
]
ImageKind = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9._-]{1,32}( [A-Za-z0-9._-]{1,32})?$", max_length=65)
]


class TierPrice(Struct, frozen=True, omit_defaults=True):
    """What tokens cost in one class of service, in dollars a million tokens. A class of tokens that
    is not written is charged as its parent, but for audio and what a cache keeps for an hour:
    without a rate their cost is unknown.
    """

    input_usd_per_mtok: Annotated[Usd, Meta(description="Plain input.")]
    output_usd_per_mtok: Annotated[Usd, Meta(description="Output.")]
    cache_read_usd_per_mtok: _CacheRead = None
    cache_write_usd_per_mtok: _CacheWrite = None
    cache_write_1h_usd_per_mtok: _CacheWrite1h = None
    reasoning_usd_per_mtok: _Reasoning = None
    audio_input_usd_per_mtok: _AudioInput = None
    audio_output_usd_per_mtok: _AudioOutput = None


class TokenPrice(Struct, frozen=True, omit_defaults=True):
    """What the tokens of a target cost, in dollars a million tokens (at most 9 decimals).

    A class that is not written is charged as its parent: cache reads and writes as input,
    reasoning as output. Audio and what a cache keeps for an hour have none: without a rate their
    cost is unknown. What is no chat may be sold by another unit, which goes before its tokens.
    """

    input_usd_per_mtok: Annotated[Usd | None, Meta(description="Plain input.")] = None
    output_usd_per_mtok: Annotated[Usd | None, Meta(description="Output.")] = None
    cache_read_usd_per_mtok: _CacheRead = None
    cache_write_usd_per_mtok: _CacheWrite = None
    cache_write_1h_usd_per_mtok: _CacheWrite1h = None
    reasoning_usd_per_mtok: _Reasoning = None
    audio_input_usd_per_mtok: _AudioInput = None
    audio_output_usd_per_mtok: _AudioOutput = None
    service_tiers: Annotated[
        dict[Name, TierPrice],
        Meta(
            description="By what a provider calls its class of service (`service_tier`), such as "
            "`priority`: what is charged there instead."
        ),
    ] = {}
    request_usd: Annotated[Usd | None, Meta(description="Each request, beside its tokens.")] = None
    image_input_usd_per_mtok: _ImageInput = None
    image_output_usd_per_mtok: _ImageOutput = None
    image_usd: Annotated[
        Usd | None,
        Meta(
            description="Each image that is made, where `images` has no price for its size and "
            "quality."
        ),
    ] = None
    images: Annotated[
        dict[ImageKind, Usd],
        Meta(
            description="Each image that is made, by its size (`1024x1024`), or by size and "
            "quality (`1024x1024 hd`)."
        ),
    ] = {}
    audio_usd_per_min: Annotated[
        Usd | None, Meta(description="Each minute of audio that is transcribed or translated.")
    ] = None
    input_usd_per_mchar: Annotated[
        Usd | None, Meta(description="A million characters that are spoken.")
    ] = None
    search_usd: Annotated[
        Usd | None, Meta(description="Each search that a ranking is charged for.")
    ] = None


class GpuPrice(Struct, frozen=True, omit_defaults=True):
    """What the tokens of your own engine cost, from what its GPUs cost and how fast it is.

    Dollars a token = gpus x gpu_hour_usd / 3600 / tokens a second.
    """

    gpu_hour_usd: Annotated[Usd, Meta(description="Price of one GPU for one hour, in dollars.")]
    input_tokens_per_s: Annotated[
        Rate, Meta(description="Input tokens a second that all the GPUs together prefill.")
    ]
    output_tokens_per_s: Annotated[
        Rate, Meta(description="Output tokens a second that all the GPUs together decode.")
    ]
    gpus: Annotated[int, Meta(ge=1, le=1_000_000, description="How many GPUs serve it.")] = 1


DeclaredPrice = Literal["free"] | TokenPrice | GpuPrice
