"""Which of our wires a deployment of LiteLLM's is asked in."""

import pytest

from tidegate.config.litellm_wires import Wire, wire_of

KINDS = (
    *("openai", "anthropic", "azure_openai", "openai_compatible", "vllm", "bedrock", "gemini"),
    *("hugging_face", "featherless"),
)


@pytest.mark.parametrize(
    ("params", "wire"),
    [
        ({"model": "gpt-4o"}, ("openai", "gpt-4o", None)),
        ({"model": "claude-haiku-4-5"}, ("anthropic", "claude-haiku-4-5", None)),
        (
            {"model": "azure/deployed", "api_base": "https://a"},
            ("azure_openai", "deployed", "https://a"),
        ),
        (
            {"model": "hosted_vllm/org/m", "api_base": "http://v/v1"},
            ("vllm", "org/m", "http://v/v1"),
        ),
        ({"model": "bedrock/converse/eu.x"}, ("bedrock", "eu.x", None)),
        ({"model": "openai/responses/gpt-5"}, ("openai", "gpt-5", None)),
        (
            {"model": "azure/o_series/mine", "api_base": "https://a"},
            ("azure_openai", "mine", "https://a"),
        ),
        ({"model": "huggingface/together/o/m"}, ("hugging_face", "o/m:together", None)),
        ({"model": "featherless_ai/m"}, ("featherless", "m", None)),
        ({"model": "gemini/gemini-2.5-pro"}, ("gemini", "gemini-2.5-pro", None)),
        (
            {"model": "openai/m", "api_base": "http://own/v1"},
            ("openai_compatible", "m", "http://own/v1"),
        ),
        ({"model": "groq/llama"}, ("openai_compatible", "llama", "https://api.groq.com/openai/v1")),
        ({"model": "llama", "custom_llm_provider": "openai"}, ("openai", "llama", None)),
        ({"model": "new/m", "api_base": "http://n/v1"}, ("openai_compatible", "m", "http://n/v1")),
    ],
)
def test_a_deployment_is_asked_in_its_provider_s_wire(
    params: dict[str, str], wire: tuple[str, str, str | None]
) -> None:
    found = wire_of(params, KINDS)
    assert isinstance(found, Wire)
    assert (found.kind, found.model, found.base_url) == wire


def test_a_provider_that_has_a_kind_of_its_own_here_is_asked_by_that() -> None:
    found = wire_of({"model": "groq/llama"}, (*KINDS, "groq"))
    assert isinstance(found, Wire)
    assert (found.kind, found.base_url, found.key_variable) == ("groq", None, "GROQ_API_KEY")


@pytest.mark.parametrize(
    "params", [{}, {"model": "openai/"}, {"model": "unheard-of"}, {"model": "nowhere/m"}]
)
def test_what_cannot_be_told_is_said(params: dict[str, str]) -> None:
    assert isinstance(wire_of(params, KINDS), str)


def test_an_address_with_a_password_is_not_taken_and_not_told() -> None:
    said = wire_of({"model": "openai/m", "api_base": "https://ann:hush@own/v1"}, KINDS)
    assert isinstance(said, str) and "api_key" in said and "hush" not in said
