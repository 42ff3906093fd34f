"""How much a request is, by our own count."""

from typing import Any

import msgspec
import pytest

from tidegate.core.ask import Ask
from tidegate.core.receipt import Receipt
from tidegate.gateway.prompt import TOKENS_A_MESSAGE
from tidegate.gateway.size import (
    MAX_COUNTED_BYTES,
    estimate_input_tokens,
    note_conversation,
    size,
)


def ask(endpoint: Any, **members: Any) -> Ask:
    body = msgspec.json.encode(members)
    return Ask(endpoint, body, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), "m")


@pytest.mark.parametrize(
    ("asked", "tokens"),
    [
        (ask("completions", prompt="a" * 40), 10),
        (ask("completions", prompt=["a" * 20, "b" * 19]), 10),
        (ask("embeddings", input="a" * 40), 10),
        (ask("chat", messages=[{"role": "user", "content": "a" * 40}]), 10 + TOKENS_A_MESSAGE),
        (ask("chat", messages=[{"content": [{"type": "text", "text": "a" * 40}, {}]}]), 14),
        (ask("chat", messages=[]), 0),
        (ask("completions", prompt="a" * 2 * MAX_COUNTED_BYTES), MAX_COUNTED_BYTES // 2),
    ],
)
def test_a_text_is_about_a_token_for_four_bytes(asked: Ask, tokens: int) -> None:
    assert estimate_input_tokens(asked, None) == tokens


def test_a_known_tokenizer_counts_and_strange_shapes_are_bounded_by_their_bytes() -> None:
    assert estimate_input_tokens(ask("completions", prompt="hello world"), "o200k") == 2
    assert estimate_input_tokens(ask("completions", prompt=[1, 2, 3]), None) > 0
    assert estimate_input_tokens(ask("chat", messages=[7]), None) > 0


def test_the_receipt_takes_the_bound_and_the_ceiling() -> None:
    receipt = Receipt("i", 0.0, "g", "chat")
    asked = ask("chat", messages=[])
    asked.output_ceiling_tokens = 5
    size(asked, receipt)
    assert (receipt.input_bytes, receipt.output_ceiling_tokens) == (len(asked.body), 5)


def test_the_routes_own_ceiling_is_not_its_callers() -> None:
    """What it cuts short is no answer, as with any other limit that no caller asked for."""
    receipt = Receipt("i", 0.0, "g", "chat")
    asked = ask("chat", messages=[])
    asked.output_ceiling_tokens, asked.ceiling_of_route = 5, True
    size(asked, receipt, cap_tokens=4)
    assert (receipt.output_ceiling_tokens, asked.output_bound_tokens) == (None, 4)


def noted(asked: Ask, **fields: Any) -> Receipt:
    receipt = Receipt("i", 0.0, "g", asked.endpoint, **fields)
    note_conversation(asked, receipt)
    return receipt


def test_a_session_is_what_its_caller_says_or_else_a_user_s_or_else_a_conversation() -> None:
    asked = ask("chat", messages=[{"role": "user", "content": "hi"}])
    told = noted(asked, session_id="s", end_user="u")
    assert (told.session, told.conversation) == ("s", None)
    assert noted(asked, end_user="u").session == "user-u"
    nobody_s = noted(asked)
    assert nobody_s.session == f"conversation-{nobody_s.conversation:x}"
    assert noted(ask("embeddings", input="hi")).session is None
    assert noted(ask("chat", input="hi")).session is None


@pytest.mark.parametrize(
    ("endpoint", "asked", "sent"),
    [("chat", None, 50), ("chat", 400, 50), ("chat", 50, None), ("embeddings", None, None)],
)
def test_a_bound_of_ours_takes_the_place_of_a_higher_one(
    endpoint: str, asked: int | None, sent: int | None
) -> None:
    one, receipt = ask(endpoint, input="hi"), Receipt("r", 1.0, "g", "chat")
    one.output_ceiling_tokens = asked
    size(one, receipt, 50)
    assert (one.output_bound_tokens, one.output_cap_tokens) == (sent, sent)
    assert receipt.output_ceiling_tokens == asked
