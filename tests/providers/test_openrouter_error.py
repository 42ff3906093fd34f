"""OpenRouter's 403: its own moderation's, or our credential's."""

from pathlib import Path

import pytest
from tests.providers.streams import asked

from tidegate.providers._openrouter_error import fault
from tidegate.providers.openrouter import plug

BYTES = Path(__file__).resolve().parents[1] / "bytes/openrouter"


def test_a_prompt_that_moderation_flagged_is_the_caller_s() -> None:
    failure = fault(403, {}, (BYTES / "flagged.json").read_bytes(), 0.0)
    assert (failure.kind, failure.status) == ("refused_by_safety", 400)
    assert plug.fault(403, {}, (BYTES / "flagged.json").read_bytes()).kind == failure.kind


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"error":{"code":403,"message":"no"}}',
        b'{"error":{"metadata":{"reasons":[]}}}',
    ],
)
def test_any_other_is_our_credential_s(body: bytes) -> None:
    assert fault(403, {}, body, 0.0).code.name == "upstream_auth"
    assert fault(429, {}, body, 0.0).kind == "rate_limited"


def test_an_error_in_the_middle_ends_its_stream() -> None:
    reader = plug.chunks(asked(stream=True))
    shown = reader.feed((BYTES / "overloaded.sse").read_bytes())
    assert reader.failure is not None and reader.failure.code.name == "upstream_error"
    assert b"Provider returned" not in shown and shown.endswith(b"\n\n")
