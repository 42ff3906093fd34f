"""size: how much the request is, before anybody works on it."""

from tidegate.core.ask import OPENAI_RESPONSES, Ask, turns_of
from tidegate.core.receipt import Receipt
from tidegate.gateway.prompt import read_prompt
from tidegate.text import tokens
from tidegate.text.fingerprint import conversation

MAX_COUNTED_BYTES = 1024 * 1024


def size(ask: Ask, receipt: Receipt, cap_tokens: int | None = None) -> None:
    """Notes the bytes that bound the input from above and the caller's own output ceiling, in whose
    place `cap_tokens` is sent where that is less."""
    receipt.input_bytes = len(ask.body)
    asked = ask.output_ceiling_tokens
    receipt.output_ceiling_tokens = None if ask.ceiling_of_route else asked
    if cap_tokens is None or ask.endpoint == "embeddings" or ask.counts or ask.metered is not None:
        return
    if asked is None or asked > cap_tokens:
        ask.output_bound_tokens = ask.output_cap_tokens = cap_tokens


def note_conversation(ask: Ask, receipt: Receipt) -> None:
    """Tells conversations apart by how they begin, where their callers name no session. What a
    route's prompt says is no conversation."""
    if receipt.session_id is None and receipt.conversation is None and not ask.bare:
        messages = turns_of(ask)
        if messages is not None:
            items = ask.dialect == OPENAI_RESPONSES
            receipt.conversation = conversation(messages, items=items)


def estimate_input_tokens(ask: Ask, tokenizer: str | None) -> int:
    """Input tokens by our own count, for when the provider does not say.

    The text is counted exactly where the tokenizer is known; what a chat template adds is not
    known to us, which is why the figure stays labelled as estimated.
    """
    prompt = read_prompt(ask)
    text = b"\n".join(prompt.pieces)
    counted = tokens.count(text[:MAX_COUNTED_BYTES], tokenizer)
    beyond = max(len(text) - MAX_COUNTED_BYTES, 0)
    return prompt.tokens + counted + tokens.estimate(beyond + prompt.other_bytes)


def count_input(ask: Ask, tokenizer: str) -> tuple[int, int]:
    """(tokens of the text, bytes that were not counted), images and files in neither. Each byte is
    a token at most, so the two together bound the input."""
    prompt = read_prompt(ask)
    text = b"\n".join(prompt.pieces)
    counted = tokens.count_exact(text[:MAX_COUNTED_BYTES], tokenizer)
    beyond = max(len(text) - MAX_COUNTED_BYTES, 0)
    return prompt.tokens + counted, prompt.other_bytes + beyond
