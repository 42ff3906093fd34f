"""Stated answers, read as clients read them."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ask import Ask
from tidegate.core.receipt import Receipt
from tidegate.gateway.entry import dialects
from tidegate.gateway.http.answering import Answering
from tidegate.gateway.made_up import say
from tidegate.gateway.progress import Progress

DIALECTS = dialects()
EACH = pytest.mark.parametrize("dialect", DIALECTS)


class Heard(Answering):
    """What a client got."""

    def __init__(self) -> None:
        self.head = self.body = b""

    def send(self, head: bytes, body: bytes) -> None:
        self.head, self.body = head, body

    def finish(self, last: bytes) -> None:
        self.body = last


def said(text: str, dialect: str, *, stream: bool, begun: bool = False) -> tuple[Heard, Receipt]:
    heard, receipt = Heard(), Receipt("r-1", 1.0, "g", "chat", route="small", stream=stream)
    progress = Progress(receipt, heard, 0.0, lambda: None)
    progress.ask = Ask("chat", b"{}", {}, "small", stream, dialect=dialect, include_usage=True)
    progress.dialect = None if dialect == "openai_chat" else DIALECTS[dialect]
    progress.route = SimpleNamespace(heads={}, told=b"")  # type: ignore[assignment]
    progress.begun, receipt.rung = begun, "r"
    say(progress, text, SimpleNamespace(dialects=DIALECTS))  # type: ignore[arg-type]
    progress.ending()
    return heard, receipt


def texts(body: bytes) -> str:
    """Every text of a stream's events, put together."""
    out = ""
    for line in body.split(b"\n"):
        if not line.startswith(b"data: {"):
            continue
        event: dict[str, Any] = msgspec.json.decode(line[6:])
        for choice in event.get("choices", ()):
            out += choice["delta"].get("content") or ""
        delta = event.get("delta")
        if isinstance(delta, str) and event["type"] == "response.output_text.delta":
            out += delta
        elif isinstance(delta, dict):
            out += delta.get("text", "")
    return out


@EACH
@given(text=st.text(min_size=1, max_size=40))
def test_whatever_is_said_is_what_is_heard(dialect: str, text: str) -> None:
    heard, receipt = said(text, dialect, stream=True)
    assert texts(heard.body) == text
    assert receipt.finish_reason == "stop"
    assert receipt.ttft_s is not None
    whole, receipt = said(text, dialect, stream=False)
    assert msgspec.json.encode(text) in whole.body
    assert receipt.ttft_s is None


@EACH
def test_it_says_whose_it_is_and_that_nobody_keeps_it(dialect: str) -> None:
    heard, _ = said("No.", dialect, stream=False)
    for line in (b"cache-control: no-store", b"x-tidegate-rung: r", b"x-tidegate-route: small"):
        assert line in heard.head


def test_a_stream_that_has_begun_goes_on() -> None:
    heard, _ = said("No.", "openai_chat", stream=True, begun=True)
    assert heard.head == b""
    assert heard.body.endswith(b"data: [DONE]\n\n")
