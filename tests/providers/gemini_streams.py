"""Streams of Gemini's, kept and made, and what its reader tells of them."""

from pathlib import Path
from typing import Any

import msgspec
from tests.providers.streams import asked

from tidegate.core.outcome import Failure
from tidegate.core.spoken import Event
from tidegate.providers._gemini_stream import GeminiReader

BYTES = Path(__file__).resolve().parent.parent / "bytes/gemini"
STREAMS = sorted(BYTES.glob("*.sse"))


def follow(*parts: bytes, choices: int = 1) -> tuple[list[Event], GeminiReader]:
    reader = GeminiReader(asked(choices=choices))
    events = [event for part in parts for event in reader.feed(part)]
    events += reader.end()
    assert reader.finished != (reader.failure is not None)
    return events, reader


def stream(name: str) -> tuple[list[Event], GeminiReader]:
    data = (BYTES / f"{name}.sse").read_bytes()
    return follow(data, choices=2 if name == "choices" else 1)


def event(*parts: Any, reason: str | None = None, **more: Any) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    return b"data: %b\n\n" % msgspec.json.encode({"candidates": [candidate], **more})


def said(failure: Failure | None) -> tuple[str, str] | None:
    return None if failure is None else (failure.kind, failure.code.name)
