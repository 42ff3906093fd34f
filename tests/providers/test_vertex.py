"""Vertex AI as a provider: whose wire each model speaks, told by its name."""

import pytest

from tidegate.config.prices import PriceTable
from tidegate.core import plugs
from tidegate.core.address import parse_url
from tidegate.core.facts import Dialects
from tidegate.providers.vertex import plug, publisher_of

NOW_S = 1_790_000_000.0
BASE_URL = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4"


@pytest.mark.parametrize(
    ("model", "publisher"),
    [
        ("gemini-2.5-flash", "google"),
        ("google/gemini-2.5-flash", "google"),
        ("publishers/google/models/gemini-2.5-pro", "google"),
        ("endpoints/4711", "google"),
        ("text-embedding-005", "google"),
        ("gemini-embedding-001", "google"),
        ("claude-sonnet-4-5@20250929", "anthropic"),
        ("anthropic/claude-opus-4-1", "anthropic"),
        ("publishers/anthropic/models/claude-opus-4-1@20250805", "anthropic"),
        ("mistral-small-2503", "mistralai"),
        ("codestral-2", "mistralai"),
        ("mistralai/mistral-medium-3", "mistralai"),
        ("mistralish", "google"),
        ("meta/llama-3.3-70b-instruct-maas", "meta"),
        ("deepseek-ai/deepseek-v3.1-maas", "deepseek-ai"),
    ],
)
def test_the_publisher_is_told_by_the_name(model: str, publisher: str) -> None:
    assert publisher_of(model) == publisher


def test_each_publisher_has_its_wire() -> None:
    passing = {
        model: set(plugs.provider_of("vertex", model).passthrough)
        for model in ("gemini-2.5-pro", "claude-sonnet-4-5", "mistral-small-2503", "meta/llama")
    }
    assert passing == {
        "gemini-2.5-pro": set(),
        "claude-sonnet-4-5": {"anthropic_messages"},
        "mistral-small-2503": set(),
        "meta/llama": {"openai_chat"},
    }
    assert plugs.provider_of("vertex", "claude-x").embedder is None
    assert plugs.provider_of("gemini", "claude-x") is plugs.load("providers", "gemini")


def test_it_is_paid_for_and_has_no_address_of_its_own() -> None:
    dialect = Dialects().get("vertex")
    assert (dialect.base_url, dialect.hosted, dialect.signs) == (None, True, False)
    assert plug.endpoints == {"chat", "embeddings"}
    form = parse_url(plug.address_form.replace("REGION", "europe-west4").replace("PROJECT", "p"))
    assert form == parse_url(BASE_URL)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "claude-sonnet-4-5@20250929"])
def test_googles_prices_are_found(model: str) -> None:
    table = PriceTable(NOW_S)
    for base_url in (BASE_URL, "http://127.0.0.1:1/v1"):
        quote = table.quote("vertex", base_url, model)
        assert quote.price is not None and quote.price.version.partition("/")[0].endswith("google")
