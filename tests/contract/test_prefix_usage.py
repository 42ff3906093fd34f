"""What of a prompt was cached, by the bytes of each provider: each token in one class, and as many
in all as the provider counted."""

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from tidegate.core import plugs
from tidegate.core.ask import Ask, Usage
from tidegate.core.spoken import answer_of

BYTES: Final = Path(__file__).parents[1] / "bytes"
ASK: Final = Ask("chat", b"{}", {}, "m", model_sent="anthropic.claude-sonnet-4-5")


def told(provider: str, name: str, **usage: Any) -> bytes:
    """A recorded answer with another usage, where one is given."""
    body = (BYTES / provider / f"{name}.json").read_bytes()
    if not usage:
        return body
    member = "usageMetadata" if provider == "gemini" else "usage"
    return msgspec.json.encode({**msgspec.json.decode(body), member: usage})


def read(provider: str, body: bytes) -> Usage:
    plug = plugs.load("providers", provider)
    usage = answer_of(plug.read_spoken(ASK, body)).usage
    assert usage is not None and not usage.conflict
    return usage


OPENAI: Final = {"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306}
# https://docs.sglang.ai: `--enable-cache-report`.
SGLANG: Final = {**OPENAI, "prompt_tokens_details": {"cached_tokens": 1920}, "reasoning_tokens": 0}
COHERE: Final = {
    "billed_units": {"input_tokens": 19, "output_tokens": 7},
    "tokens": {"input_tokens": 240, "output_tokens": 9},
}
GEMINI: Final = {"promptTokenCount": 2006, "candidatesTokenCount": 3, "totalTokenCount": 2009}
BEDROCK: Final = {"inputTokens": 6, "outputTokens": 3, "totalTokens": 9}
HOUR: Final = [{"ttl": "1h", "inputTokens": 1500}, {"ttl": "5m", "inputTokens": 500}]


@pytest.mark.parametrize(
    ("provider", "body", "classes"),
    [
        (
            "openai",
            told("openai", "chat", **OPENAI, prompt_tokens_details={"cached_tokens": 1920}),
            (86, 1920, None, None),
        ),
        ("openai_compatible", told("openai_compatible", "chat", **SGLANG), (86, 1920, None, None)),
        ("vllm", told("vllm", "chat"), (83, 128, None, None)),
        ("sglang", told("sglang", "chat"), (4, 16, None, None)),
        ("groq", told("groq", "chat"), (11, 8, None, None)),
        ("openrouter", told("openrouter", "chat"), (11, 8, None, None)),
        ("minimax", told("minimax", "chat"), (11, 8, None, None)),
        ("mistral", told("mistral", "chat"), (11, 8, None, None)),
        ("mistral", told("mistral", "chat", **OPENAI), (2006, None, None, None)),
        ("cohere", told("cohere", "chat"), (11, 8, None, None)),
        ("cohere", told("cohere", "tools"), (31, None, None, None)),
        # More than what is billed was cached: of the template around it.
        ("cohere", told("cohere", "chat", **COHERE, cached_tokens=230), (19, None, None, None)),
        (
            "deepseek",
            told(
                "openai_compatible",
                "chat",
                **OPENAI,
                prompt_cache_hit_tokens=1920,
                prompt_cache_miss_tokens=86,
            ),
            (86, 1920, None, None),
        ),
        (
            "moonshot",
            told("openai_compatible", "chat", **OPENAI, cached_tokens=1920),
            (86, 1920, None, None),
        ),
        # Without `--enable-prompt-tokens-details` nobody knows.
        (
            "vllm",
            told("vllm", "chat", **OPENAI, prompt_tokens_details=None),
            (2006, None, None, None),
        ),
        ("anthropic", told("anthropic", "chat"), (11, 2048, 40, None)),
        (
            "anthropic",
            told(
                "anthropic",
                "chat",
                input_tokens=6,
                cache_creation_input_tokens=2000,
                cache_read_input_tokens=0,
                cache_creation={
                    "ephemeral_5m_input_tokens": 500,
                    "ephemeral_1h_input_tokens": 1500,
                },
                output_tokens=3,
            ),
            (6, 0, 2000, 1500),
        ),
        (
            "gemini",
            told("gemini", "chat", **GEMINI, cachedContentTokenCount=1920),
            (86, 1920, None, None),
        ),
        # Its wire leaves out what is 0.
        ("gemini", told("gemini", "chat", **GEMINI), (2006, 0, None, None)),
        ("bedrock", told("bedrock", "chat"), (11, 1024, 16, None)),
        (
            "bedrock",
            told("bedrock", "chat", **BEDROCK, cacheWriteInputTokens=2000, cacheDetails=HOUR),
            (6, None, 2000, 1500),
        ),
        ("bedrock", told("bedrock", "chat", **BEDROCK), (6, None, None, None)),
    ],
)
def test_what_was_cached_is_counted_once(
    provider: str, body: bytes, classes: tuple[int | None, ...]
) -> None:
    usage = read(provider, body)
    found = (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
    )
    assert found == classes


@pytest.mark.parametrize(
    "wrong",
    [
        [{"ttl": "1h", "inputTokens": 2001}],
        [{"ttl": "1h", "inputTokens": -1}],
        [{"ttl": "1h", "inputTokens": "many"}],
    ],
)
def test_an_hour_s_writes_are_a_part_of_all_writes(wrong: Any) -> None:
    body = told("bedrock", "chat", **BEDROCK, cacheWriteInputTokens=2000, cacheDetails=wrong)
    plug = plugs.load("providers", "bedrock")
    usage = answer_of(plug.read_spoken(ASK, body)).usage
    assert usage is not None and usage.conflict
