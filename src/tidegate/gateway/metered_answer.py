"""What has come of a request that is no chat: its type, what it used, and what that cost."""

from typing import Final, Protocol, cast

from tidegate.core.ask import Ask, Units
from tidegate.core.metered import Metered
from tidegate.core.outcome import Failure
from tidegate.core.plan import Target
from tidegate.core.plugs import StreamReader
from tidegate.core.receipt import NO_OUTPUT, Receipt
from tidegate.core.unit_cost import most_tokens, most_unit_nanousd, unit_cost_nanousd
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.progress import Progress
from tidegate.stores.spending import MAX_COST_NANOUSD
from tidegate.text import tokens

_JSON: Final = b"application/json"


class UnitsReader(StreamReader, Protocol):
    """Follows a stream that is no chat's."""

    units: Units


def note_kind(metered: Metered, ask: Ask, upstream: Upstream) -> None:
    """What kind of answer has come. Failure where it is none that was asked for; one that is whole
    though it was wanted as it comes is as good."""
    kind = upstream.headers.get(b"content-type", _JSON).lower()
    metered.came_as = b""
    if upstream.streaming:
        if not metered.events:
            metered.came_as = _known(kind, metered.streams)
        return
    if not kind.startswith(metered.takes):
        message = "the provider's answer is of a type that was not asked for"
        raise Failure("malformed", "upstream_malformed", message)
    found = _known(kind, metered.takes)
    metered.came_as = b"" if found == _JSON else found
    if ask.stream and metered.events:
        ask.stream = False


def _known(kind: bytes, known: tuple[bytes, ...]) -> bytes:
    """The type as we write it: nothing of a provider's header goes further."""
    return next(one for one in known if kind.startswith(one))


def account_units(progress: Progress, ask: Ask, metered: Metered, target: Target) -> None:
    """What the last attempt's answer used, beside tokens that it told, and what that cost."""
    receipt, relay, answer = progress.receipt, progress.relay, progress.answer
    units: Units | None = None
    if relay is not None:
        units = cast("UnitsReader", relay.reader).units
        if not metered.events:
            receipt.output_bytes = relay.reader.text_bytes()
    elif answer is not None:
        units = answer.units
    _note(receipt, metered, units or Units())
    price = target.price
    sold = ask.endpoint == "rerank" and price is not None and price.search_nanousd is not None
    if receipt.input_tokens is None and ask.endpoint in NO_OUTPUT and not sold:
        most, _ = most_tokens(metered, ask.endpoint, target)
        receipt.input_tokens = tokens.estimate(most)
        receipt.tokens_estimated = True
    if price is not None:
        receipt.price_version = price.version
        receipt.cost_nanousd = unit_cost_nanousd(receipt, price)
    receipt.attempts[-1].cost_nanousd = receipt.cost_nanousd
    if receipt.cost_nanousd is None:
        most_nanousd = most_unit_nanousd(metered, ask.endpoint, price, target)
        if most_nanousd is not None:
            receipt.most_nanousd = min(most_nanousd, MAX_COST_NANOUSD)


def _note(receipt: Receipt, metered: Metered, units: Units) -> None:
    receipt.images = units.images if metered.images else None
    receipt.image_size = units.image_size or metered.image_size
    receipt.image_quality = units.image_quality or metered.image_quality
    receipt.image_input_tokens = units.image_input_tokens
    receipt.image_output_tokens = units.image_output_tokens
    receipt.search_units = units.search_units
    receipt.audio_s = units.audio_s
    if units.audio_s is None and metered.audio_is_exact:
        receipt.audio_s = metered.audio_s
