"""How much a request can come to, before anybody works on it: the worst that limits hold."""

from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.core.limit import Demand
from tidegate.core.price import Price
from tidegate.core.pricing import Ceiling, at_tier, is_by_tokens
from tidegate.core.receipt import Receipt
from tidegate.gateway.media import may_have_parts, media
from tidegate.gateway.metering import demand_of_units, price_units
from tidegate.gateway.prepared_target import Priced
from tidegate.gateway.size import count_input
from tidegate.gateway.unseen import has_hosted_tools, unseen_tokens
from tidegate.text import tokens

# An answer cut shorter than this helps nobody: the budget says no instead.
MIN_OUTPUT_TOKENS = 16
_DEARER: Final = frozenset(
    {"service_tier", "web_search_options", "modalities", "audio", "speed", "inference_geo"}
)
# Anthropic's members that make each token dearer, and what they are unasked.
_USUAL: Final = {"speed": b'"standard"', "inference_geo": b'"global"'}
# Without one of these, as they stand in a body or escaped, there is no audio in a prompt.
_MAY_BE_HEARD: Final = (b"audio", b"video", b"file", b"document", b"source", b"\\u00")
# Without one of these no cache is asked to keep anything for an hour.
_MAY_BE_KEPT: Final = (b'"1h"', b"\\u00")
# In a text quotes are escaped: these are names and types of members.
_AUDIO_PARTS: Final = (b'"input_audio"', b'"audio_url"')
_NULL: Final = Raw(b"null")


def demand_of(ask: Ask, receipt: Receipt, target: Priced, assumed_output_tokens: int) -> Demand:
    """Bounds from above. A token of text has a byte at least, so its length bounds it."""
    if ask.metered is not None:
        return demand_of_units(ask, ask.metered, receipt, target)
    if ask.endpoint == "embeddings":
        output_tokens = choices = 0
    else:
        ceiling = ask.output_ceiling_tokens
        output_tokens = assumed_output_tokens if ceiling is None else ceiling
        if ask.output_cap_tokens is not None:
            output_tokens = min(output_tokens, ask.output_cap_tokens)
        choices = _choices(ask)
    demand = Demand(ask, receipt, len(ask.body), False, output_tokens, choices)
    held, unseen = media(ask), unseen_tokens(ask, target.target)
    if held.images or held.files or unseen:
        demand.media_tokens = held.most_tokens(target.target) + unseen
        demand.input_tokens += demand.media_tokens - held.bytes
    price(demand, target)
    return demand


def price(demand: Demand, target: Priced) -> None:
    """What it can cost at most as things stand; None when nobody knows."""
    if demand.ask.metered is not None:
        price_units(demand, demand.ask.metered, target)
        return
    ceiling = ceiling_of(demand.ask, target)
    output_tokens = demand.output_tokens * demand.choices
    demand.cost_nanousd = (
        None if ceiling is None else ceiling.nanousd(demand.input_tokens, output_tokens)
    )


def count(demand: Demand, target: Priced) -> bool:
    """Counts the input where the tokenizer is known; whether the bound has come down. What is no
    text stays bounded by its bytes."""
    tokenizer = target.target.tokenizer
    if demand.input_counted or tokenizer is None or tokenizer not in tokens.ENCODINGS:
        return False
    demand.input_counted = True
    counted, other_bytes = count_input(demand.ask, tokenizer)
    demand.input_exact = not other_bytes and not demand.media_tokens
    most_tokens = counted + other_bytes + demand.media_tokens
    if most_tokens >= demand.input_tokens:
        return False
    demand.input_tokens = most_tokens
    price(demand, target)
    return True


def afford(demand: Demand, target: Priced, left_nanousd: int) -> bool:
    """Lowers the output to what is left of a budget; whether anything useful fits."""
    ceiling = ceiling_of(demand.ask, target)
    if ceiling is None or demand.choices == 0:
        return False
    low, high = 0, demand.output_tokens
    while low < high:  # prices have steps, so the largest that fits is looked for
        middle = (low + high + 1) // 2
        cost = ceiling.nanousd(demand.input_tokens, middle * demand.choices)
        if cost is not None and cost <= left_nanousd:
            low = middle
        else:
            high = middle - 1
    if low < MIN_OUTPUT_TOKENS:
        return False
    demand.output_tokens = low
    price(demand, target)
    return True


def ceiling_of(ask: Ask, target: Priced) -> Ceiling | None:
    """The most that this request's tokens can cost at the target; None without a price."""
    ceiling = target.ceiling
    if ceiling is None or not ceiling.varies:
        return ceiling
    hears = may_have_parts(ask) and any(word in ask.body for word in _MAY_BE_HEARD)
    keeps = ask.prefix_ttl == "1h" or any(word in ask.body for word in _MAY_BE_KEPT)
    return ceiling.of(tier_asked(ask), hears=hears, says=_says(ask), keeps=keeps)


def tier_asked(ask: Ask) -> str | None:
    """The class of service that the caller chose; None where it is the provider's to choose."""
    raw = ask.members.get("service_tier")
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=str | None)
    except msgspec.DecodeError:
        return None


def uncovered_member(ask: Ask, price: Price | None) -> str | None:
    """The member by which the caller chose what the price does not cover: a class of service,
    searches of the web, tools of the provider's own, answers that are no text. None where there is
    none."""
    if price is None or not is_by_tokens(price):
        return None
    if has_hosted_tools(ask):
        return "tools"
    if _DEARER.isdisjoint(ask.members):
        return None
    for name in _DEARER:
        value = ask.members.get(name, _NULL)
        if value != _NULL and not _covered(ask, name, price):
            return name
    return None


def is_told(ask: Ask, receipt: Receipt, price: Price) -> bool:
    """Whether the tokens that the receipt tells are all that is charged, and of which kind each is
    is known."""
    if not is_by_tokens(price):
        return True
    if ask.dialect == OPENAI_RESPONSES and has_hosted_tools(ask):
        return False  # they are charged besides
    if not _DEARER.isdisjoint(ask.members):
        if ask.members.get("web_search_options", _NULL) != _NULL:
            return False  # searches are charged besides
        if any(not _is_usual(ask, name) for name in _USUAL):
            return False
        if receipt.audio_output_tokens is None and _says(ask):
            return False
    if receipt.audio_input_tokens is not None or not may_have_parts(ask):
        return True
    return not any(part in ask.body for part in _AUDIO_PARTS)


def _covered(ask: Ask, name: str, price: Price) -> bool:
    if name == "service_tier":
        tier = tier_asked(ask)
        return tier is not None and at_tier(price, tier) is not None
    if name in ("modalities", "audio"):
        return price.audio_output is not None or not _says(ask)
    return name in _USUAL and _is_usual(ask, name)


def _is_usual(ask: Ask, name: str) -> bool:
    return bytes(ask.members.get(name, _NULL)) in (b"null", _USUAL[name])


def _says(ask: Ask) -> bool:
    """Whether the answer may be anything but text."""
    if ask.members.get("audio", _NULL) != _NULL:
        return True
    try:
        found = msgspec.json.decode(ask.members.get("modalities", _NULL), type=list[str] | None)
    except msgspec.DecodeError:
        return True
    return not {"text"}.issuperset(found or ())


def _choices(ask: Ask) -> int:
    """How many answers are produced. A completion has several prompts, and drafts of which only
    the best are shown."""
    if ask.endpoint != "completions":
        return ask.choices
    choices = ask.choices
    drafts = ask.members.get("best_of")
    if drafts is not None:
        choices = max(choices, msgspec.json.decode(drafts, type=int | None) or 1)
    return choices * _prompts(ask)


def _prompts(ask: Ask) -> int:
    """How many prompts a completion answers: the API takes a list of them."""
    raw = ask.members.get("prompt")
    if raw is None or bytes(memoryview(raw)[:1]) != b"[":
        return 1
    prompts = msgspec.json.decode(raw, type=list[Raw])
    if not prompts or bytes(memoryview(prompts[0])[:1]) not in (b'"', b"["):
        return 1  # one prompt, as token ids
    return len(prompts)
