"""A question and an answer become a record without what has to be taken out of it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask, Said
from tidegate.core.capture import Capture, Captured
from tidegate.core.receipt import OPENAI_CHAT, Receipt
from tidegate.gateway.capturing import question_of, record
from tidegate.gateway.heard import Heard
from tidegate.text.personal import Personal

SMALL = Capture(1.0, max_bytes=1024)
MAIL, CARD = "anna@mail.example", "4111 1111 1111 1111"


def ask_of(dialect: str = OPENAI_CHAT, **members: Any) -> Ask:
    raw = {name: Raw(msgspec.json.encode(value)) for name, value in members.items()}
    return Ask("chat", b"", raw, "small", dialect=dialect)


def recorded(ask: Ask, answer: str, capture: Capture = SMALL, **receipt: Any) -> Captured:
    found = question_of(ask, capture)
    assert found is not None
    heard = Heard(capture.max_bytes)
    heard.take(Said(answer, calls=(("mail", f'{{"to": "{MAIL}"}}'),)))
    whose = Receipt("r1", 100.0, "gateway-0", "chat", route="small", **receipt)
    return record(found, heard, whose, Personal())


def test_everything_is_looked_through_and_counted() -> None:
    messages = [
        {"role": "user", "content": f"I am {MAIL}"},
        {"role": "user", "content": [{"type": "text", "text": CARD}, {"n": 4111111111111111}]},
        {"role": "tool", "content": "x", MAIL: 1.5},
    ]
    kept = recorded(ask_of(messages=messages), f"Write to {MAIL}.", customer="acme")
    said = msgspec.msgpack.encode(kept)
    assert MAIL.encode() not in said and b"4111" not in said
    assert kept.redacted == {"email": 4, "card": 2}
    assert kept.answer == "Write to [email]."
    assert kept.calls == (("mail", '{"to": "[email]"}'),)
    assert (kept.customer, kept.until_s) == ("acme", 100.0 + SMALL.keep_s)


@pytest.mark.parametrize(
    ("ask", "turns"),
    [
        (ask_of(messages=[{"role": "user", "content": "a"}]), [("user", "a")]),
        (
            ask_of(ANTHROPIC_MESSAGES, system="s", messages=[{"role": "user", "content": "a"}]),
            [("system", "s"), ("user", "a")],
        ),
        (ask_of(OPENAI_RESPONSES, input="a", instructions="s"), [("system", "s"), ("user", "a")]),
        (ask_of(OPENAI_RESPONSES, input="a", instructions=None), [("user", "a")]),
    ],
)
def test_each_wire_is_an_array_of_messages(ask: Ask, turns: list[tuple[str, str]]) -> None:
    said = msgspec.json.decode(recorded(ask, "x").messages)
    assert [(it["role"], it["content"]) for it in said] == turns


def test_pictures_and_sounds_are_left_out() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    sound = {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}
    kept = recorded(ask_of(messages=[{"role": "user", "content": [picture, sound]}]), "x")
    assert "AAAA" not in kept.messages and "UklG" not in kept.messages
    assert kept.messages.count("[media]") == 2


def test_what_is_not_asked_by_a_conversation_is_not_kept() -> None:
    counting = ask_of(messages=[])
    counting.counts = True
    embedding = Ask("embeddings", b"", {"input": Raw(b'"x"')}, "small")
    assert question_of(counting, SMALL) is None
    assert question_of(embedding, SMALL) is None
    assert question_of(ask_of(), SMALL) is None


@pytest.mark.parametrize("end", ["4111 1111 11", "anna@mai", "sk-proj-aB3d"])
def test_the_end_of_a_cut_answer_is_taken_out(end: str) -> None:
    ask = ask_of(messages=[])
    kept = recorded(ask, f"Here it is: {end}", error_code="client_closed")
    assert kept.cut and end not in kept.answer
    assert kept.answer.startswith("Here it is:")
    assert recorded(ask, "All of it.").cut is False


@given(st.integers(0, 2000), st.text(max_size=40))
def test_wherever_an_answer_is_shortened_nothing_of_a_card_is_left(at: int, after: str) -> None:
    kept = recorded(ask_of(messages=[]), f"{'w ' * (at // 2)}{CARD} {after}")
    assert "4111" not in kept.answer
    assert len(kept.answer.encode()) <= SMALL.max_bytes
    assert kept.shortened == (len(f"{'w ' * (at // 2)}[card] {after}".encode()) > SMALL.max_bytes)


def test_tools_are_kept_where_they_fit_beside_the_question() -> None:
    messages = [{"role": "user", "content": "a"}]
    tools = [{"type": "function", "function": {"name": "mail", "description": MAIL}}]
    kept = recorded(ask_of(messages=messages, tools=tools), "b")
    assert kept.tools is not None and "[email]" in kept.tools and MAIL not in kept.tools
    assert kept.redacted["email"] == 2
    long = [{"type": "function", "function": {"name": "x" * SMALL.max_bytes}}]
    found = recorded(ask_of(messages=messages, tools=long), "b")
    assert found.tools is None and found.messages == kept.messages
