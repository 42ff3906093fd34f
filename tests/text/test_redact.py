"""Secrets do not come through; ordinary words do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.redact import redact

SECRET = "aB3dE6gH9jK2mN5pQ8sT"


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: sk-proj-{SECRET}",
        f"sk-tg-0a1b2c3d_{SECRET}",
        f"sk-ant-api03-{SECRET}",
        f"header Authorization: Bearer {SECRET} is wrong",
        f"BEARER {SECRET}",
        f"gsk_{SECRET}",
        f"hf_{SECRET}",
        f"AKIA{SECRET}",
        f"AIza{SECRET}",
        f"ghp_{SECRET}",
        f"xoxb-{SECRET}",
        f"eyJhbGciOiJI.{SECRET}.{SECRET}",
        f"https://user:{SECRET}@host/path",
        f"postgresql+psycopg://me:{SECRET}@db",
    ],
)
def test_what_looks_like_a_credential_is_taken_out(text: str) -> None:
    shown = redact(text)
    assert SECRET not in shown
    assert "[redacted]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 8192 tokens.",
        "the bearer of this message",
        "skate, task-force, risk-free",
        "https://api.openai.com/v1/chat",
        "see user@example.com",
        "",
    ],
)
def test_ordinary_words_are_left(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_key_is_found_among_any_words(before: str, after: str) -> None:
    assert SECRET not in redact(f"{before} sk-{SECRET} {after}")
