"""How much a request can come to, before anybody works on it: the worst that limits hold."""

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.limit import Demand
from tidegate.core.receipt import Receipt
from tidegate.gateway.media import media
from tidegate.gateway.prepared import PreparedTarget
from tidegate.gateway.size import estimate_input_tokens
from tidegate.text import tokens

# An answer cut shorter than this helps nobody: the budget says no instead.
MIN_OUTPUT_TOKENS = 16


def demand_of(
    ask: Ask, receipt: Receipt, target: PreparedTarget, assumed_output_tokens: int
) -> Demand:
    """Bounds from above. A token of text has a byte at least, so its length bounds it."""
    if ask.endpoint == "embeddings":
        output_tokens = choices = 0
    else:
        ceiling = ask.output_ceiling_tokens
        output_tokens = assumed_output_tokens if ceiling is None else ceiling
        choices = _choices(ask)
    demand = Demand(ask, receipt, len(ask.body), False, output_tokens, choices)
    held = media(ask)
    if held.images or held.files:
        demand.media_tokens = held.most_tokens(target.target)
        demand.input_tokens += demand.media_tokens - held.bytes
    price(demand, target)
    return demand


def price(demand: Demand, target: PreparedTarget) -> None:
    """What it can cost at most as things stand; None when nobody knows."""
    ceiling = target.ceiling
    if ceiling is not None:
        output_tokens = demand.output_tokens * demand.choices
        demand.cost_nanousd = ceiling.nanousd(demand.input_tokens, output_tokens)


def count(demand: Demand, target: PreparedTarget) -> bool:
    """Counts the input where the tokenizer is known; whether the bound has come down."""
    if demand.input_exact or target.target.tokenizer not in tokens.ENCODINGS:
        return False
    demand.input_exact = True
    counted = estimate_input_tokens(demand.ask, target.target.tokenizer) + demand.media_tokens
    if counted >= demand.input_tokens:
        return False
    demand.input_tokens = counted
    price(demand, target)
    return True


def afford(demand: Demand, target: PreparedTarget, left_nanousd: int) -> bool:
    """Lowers the output to what is left of a budget; whether anything useful fits."""
    ceiling = target.ceiling
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
