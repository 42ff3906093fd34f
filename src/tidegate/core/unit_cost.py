"""What is sold by other units than the tokens of a text: what it cost, and the most that it can.

An endpoint's own unit goes before its tokens: where a price has both, only the unit is charged.
"""

from collections.abc import Iterable
from math import ceil
from typing import Final

from tidegate.core.metered import Metered
from tidegate.core.plan import Target
from tidegate.core.price import Price, Rate
from tidegate.core.receipt import NO_OUTPUT, Endpoint, Receipt
from tidegate.core.units import TOKENS_PER_MTOK

_S_PER_H: Final = 3600
_AUTO: Final = "auto"
_IMAGES: Final = frozenset({"images", "image_edits", "image_variations"})
_AUDIO: Final = frozenset({"transcriptions", "translations"})
# Tokens of a second of audio: of what is heard, of what is said of it, and of what is spoken.
_HEARD_PER_S: Final = 25
_WRITTEN_PER_S: Final = 10
# A character of text is spoken in so many tokens of audio at most: nobody speaks slower than five
# characters a second at the slowest speed.
_SPOKEN_PER_CHARACTER: Final = 20
# What a pair of query and document has beside both.
_PAIR_TOKENS: Final = 8


def unit_cost_nanousd(receipt: Receipt, price: Price) -> int | None:
    """What the receipt's units cost at `price`, rounded once, half up; None when unknown.

    Tokens of images are charged as other tokens where they have no rate of their own. Where they
    have one and nobody told which tokens were images, the cost is unknown, but for what is made: at
    an endpoint for images that is images.
    """
    if price.source == "free":
        return 0
    own = _of_units(receipt, price)
    if own is None:
        return None
    charged, scale = own if own else (_of_tokens(receipt, price), TOKENS_PER_MTOK)
    if charged is None:
        return None
    return price.request_nanousd + (2 * charged + scale) // (2 * scale)


def most_unit_nanousd(
    metered: Metered, endpoint: Endpoint, price: Price | None, target: Target
) -> int | None:
    """The most that the request can cost, rounded up; None where nobody knows."""
    if price is None:
        return None
    if price.source == "free":
        return 0
    charged, scale = 0, 1
    if endpoint in _IMAGES and price.images:
        each = [it.nanousd for it in price.images]
        known = _image_nanousd(price, metered.image_size, metered.image_quality)
        if metered.image_size is None or known is None:
            known = max(each)  # its provider may choose any
        elif metered.image_quality is None:
            known = max([known, *_of_size(price, metered.image_size)])
        charged = metered.images * known
    elif endpoint in _AUDIO and price.audio_nanousd_per_h is not None:
        charged, scale = ceil(metered.audio_s * price.audio_nanousd_per_h), _S_PER_H
    elif endpoint == "speech" and price.nanousd_per_mchar is not None:
        charged, scale = metered.characters * price.nanousd_per_mchar, TOKENS_PER_MTOK
    elif endpoint == "rerank" and price.search_nanousd is not None:
        charged = metered.search_units * price.search_nanousd
    else:
        into, out = most_tokens(metered, endpoint, target)
        of_input = _dearest(into, (price.input, price.image_input, price.audio_input))
        of_output = _dearest(out, (price.output, price.image_output, price.audio_output))
        if of_input is None or of_output is None:
            return None
        charged, scale = of_input + of_output, TOKENS_PER_MTOK
    return price.request_nanousd - (-charged // scale)


def sells_tokens(endpoint: Endpoint, price: Price | None) -> bool:
    """Whether such a request has tokens that somebody may tell: not what is sold by another unit,
    nor, where no price says it, what may have none."""
    if price is None or price.source == "free":
        return endpoint in NO_OUTPUT
    if endpoint in _IMAGES:
        return not price.images
    if endpoint in _AUDIO:
        return price.audio_nanousd_per_h is None
    return not (endpoint == "speech" and price.nanousd_per_mchar is not None)


def most_tokens(metered: Metered, endpoint: Endpoint, target: Target) -> tuple[int, int]:
    """(input, output) tokens at most."""
    into, out = metered.text_bytes, 0
    if endpoint == "rerank":
        into += metered.documents * (metered.query_bytes + _PAIR_TOKENS)
    elif endpoint == "speech":
        out = metered.characters * _SPOKEN_PER_CHARACTER
    elif endpoint in _AUDIO:
        into += ceil(metered.audio_s * _HEARD_PER_S)
        out = ceil(metered.audio_s * _WRITTEN_PER_S)
        if target.context_tokens is not None:
            into, out = min(into, target.context_tokens), min(out, target.context_tokens)
    else:  # what is judged makes none
        into += metered.input_images * target.image_tokens
        out = metered.images * target.image_tokens
    return into, out


def _of_units(receipt: Receipt, price: Price) -> tuple[int, int] | tuple[()] | None:
    """(charged, by which it is divided) by the endpoint's own unit; () where it has no price, None
    where nobody knows how many there were."""
    endpoint = receipt.endpoint
    if endpoint in _IMAGES and price.images:
        each = _image_nanousd(price, receipt.image_size, receipt.image_quality)
        return None if receipt.images is None or each is None else (receipt.images * each, 1)
    if endpoint in _AUDIO and price.audio_nanousd_per_h is not None:
        if receipt.audio_s is None:
            return None
        return round(receipt.audio_s * price.audio_nanousd_per_h), _S_PER_H
    if endpoint == "speech" and price.nanousd_per_mchar is not None:
        if receipt.characters is None:
            return None
        return receipt.characters * price.nanousd_per_mchar, TOKENS_PER_MTOK
    if endpoint == "rerank" and price.search_nanousd is not None:
        units = receipt.search_units
        return None if units is None else (units * price.search_nanousd, 1)
    return ()


def _of_tokens(receipt: Receipt, price: Price) -> int | None:
    """Nano-dollars for a million times the tokens."""
    read, written = receipt.input_tokens, receipt.output_tokens
    if written is None and receipt.endpoint in NO_OUTPUT:
        written = 0
    if read is None or written is None:
        return None
    by_hour = price.source == "gpu_hour"  # a token is a token there
    seen, drawn = receipt.image_input_tokens, receipt.image_output_tokens
    of_images, of_audio = price.image_input, price.audio_input
    if of_images is not None and seen is None and receipt.endpoint != "images":
        return None
    if drawn is None and receipt.endpoint in _IMAGES:
        drawn = written
    heard, said = receipt.audio_input_tokens, receipt.audio_output_tokens
    if of_audio is not None and heard is None and receipt.endpoint in _AUDIO:
        return None
    if said is None and receipt.endpoint == "speech":
        said = written
    classes: Iterable[tuple[int, Rate | None]] = (
        (read - (seen or 0) - (heard or 0), price.input),
        (seen or 0, of_images or price.input),
        (heard or 0, of_audio or (price.input if by_hour else None)),
        (written - (drawn or 0) - (said or 0), price.output),
        (drawn or 0, price.image_output or price.output),
        (said or 0, price.audio_output or price.output),
    )
    charged = 0
    for tokens, rate in classes:
        if tokens:
            if rate is None or tokens < 0:
                return None
            charged += tokens * rate.at(read)
    return charged


def _image_nanousd(price: Price, size: str | None, quality: str | None) -> int | None:
    """The price of an image, the most particular first; None where it has none, or where its
    provider has chosen one of several."""
    if _AUTO in (size, quality):
        every = {it.nanousd for it in price.images}
        return every.pop() if len(every) == 1 else None
    found = {(it.size, it.quality): it.nanousd for it in price.images}
    for place in ((size, quality), (size, None), (None, None)):
        if place in found:
            return found[place]
    return None


def _of_size(price: Price, size: str) -> list[int]:
    """What an image of this size costs, of whatever quality."""
    return [it.nanousd for it in price.images if it.size == size]


def _dearest(tokens: int, rates: Iterable[Rate | None]) -> int | None:
    if not tokens:
        return 0
    known = [rate for rate in rates if rate is not None]
    starts = {
        0,
        tokens,
        *(start + 1 for rate in known for start, _ in rate.tiers if start < tokens),
    }
    return max((tokens * rate.at(at) for rate in known for at in starts), default=None)
