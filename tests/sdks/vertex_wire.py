"""Vertex AI as a provider: Gemini's and Anthropic's wires at the paths of their publishers."""

from types import SimpleNamespace
from typing import Any

from tests.sdks import anthropic_wire, gemini_wire
from tests.sdks.said import Heard

PREFIX = "/v1/projects/tide/locations/europe-west4"
GOOGLES = f"{PREFIX}/publishers/google/models/"
_CLAUDES = f"{PREFIX}/publishers/anthropic/models/"


def _hear_gemini(path: str, body: Any) -> Heard:
    assert path.startswith(GOOGLES)
    return gemini_wire.heard(f"/v1/models/{path.removeprefix(GOOGLES)}", body)


def _hear_claude(path: str, body: Any) -> Heard:
    assert path.startswith(_CLAUDES)
    assert body.pop("anthropic_version") == "vertex-2023-10-16"
    model, _, verb = path.removeprefix(_CLAUDES).partition(":")
    told = anthropic_wire.heard(path, body)
    if model == "count-tokens":
        assert verb == "rawPredict" and told.model
        return told
    assert verb == ("streamRawPredict" if told.stream else "rawPredict")
    assert "model" not in body
    told.model = model
    return told


GEMINI = SimpleNamespace(heard=_hear_gemini, whole=gemini_wire.whole, stream=gemini_wire.stream)
CLAUDE = SimpleNamespace(
    heard=_hear_claude, whole=anthropic_wire.whole, stream=anthropic_wire.stream
)
