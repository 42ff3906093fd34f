"""Published facts of models: found by provider or address, by build, model and region."""

from datetime import date

import pytest

from tidegate.config.models import ModelTable
from tidegate.core import plugs
from tidegate.core.model_facts import UNKNOWN, ModelFacts

DATA = b"""\
{"from":["a==1","b==2"],"hosts":{"api.groq.com":"groq"}}
["groq","llama",{"context_tokens":131072,"inputs":["text"],"tools":false,"reasoning":true}]
["groq","llama-2025-01-02",{"output_tokens":100,"retires_on":"2027-01-02"}]
["bedrock","anthropic.claude-x-20250101-v1:0",{"inputs":["image"],"more_inputs":true}]
["bedrock","anthropic.claude-x",{"inputs":["text","pdf"],"deprecated":true}]
"""


@pytest.fixture(scope="module")
def table() -> ModelTable:
    return ModelTable(DATA)


@pytest.mark.parametrize(
    ("dialect", "url"),
    [("groq", "http://10.0.0.1/v1"), ("openai_compatible", "https://api.groq.com/openai/v1")],
)
def test_a_model_is_found_by_its_provider_or_by_the_address(
    table: ModelTable, dialect: str, url: str
) -> None:
    found = table.facts(dialect, url, "llama")
    assert (found.context_tokens, found.tools, found.output_tokens) == (131072, False, None)
    assert table.facts(dialect, url, "llama-3") == UNKNOWN


def test_nobody_else_s_model_of_that_name_is_meant(table: ModelTable) -> None:
    assert table.facts("vllm", "http://127.0.0.1:8000/v1", "llama") == UNKNOWN


def test_a_build_has_what_its_model_has_besides(table: ModelTable) -> None:
    found = table.facts("groq", "", "llama-2025-01-02")
    assert found == ModelFacts(
        context_tokens=131072,
        output_tokens=100,
        inputs=("text",),
        tools=False,
        reasoning=True,
        retires_on=date(2027, 1, 2),
    )
    assert table.facts("groq", "", "llama-latest") == table.facts("groq", "", "llama")


@pytest.mark.parametrize("region", ["eu.", "us-gov.", "global.", ""])
def test_a_region_of_bedrock_s_changes_nothing(table: ModelTable, region: str) -> None:
    found = table.facts("bedrock", "", f"{region}anthropic.claude-x-20250101-v1:0")
    assert found.inputs == ("image", "pdf", "text") and not found.more_inputs


def test_the_shipped_table_names_its_sources_and_only_providers_that_fit() -> None:
    shipped = ModelTable()
    assert all("==" in source for source in shipped.sources)
    sellers = {seller for seller, _, _ in shipped.every()}
    assert {"openai", "anthropic", "gemini", "bedrock", "groq"} <= sellers
    found = shipped.facts("openai", "https://api.openai.com/v1", "gpt-4o-mini-2024-07-18")
    assert found.takes("image") and not found.takes("video") and found.tools
    assert plugs.load("config", "models") is ModelTable
    assert found.serves == "chat"
    assert shipped.facts("openai", "", "text-embedding-3-small").serves == "embeddings"
    assert shipped.facts("cohere", "", "rerank-v3.5").serves == "rerank"
    assert shipped.facts("openai", "", "gpt-4o-transcribe").serves is None
