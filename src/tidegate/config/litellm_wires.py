"""LiteLLM's names of providers, the word before the slash of `model`, as kinds of ours."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from msgspec import Struct

from tidegate.core.address import parse_url

_KINDS: Final[Mapping[str, str]] = {
    "azure": "azure_openai",
    "text-completion-openai": "openai",
    "hosted_vllm": "vllm",
    "llamafile": "llama_cpp",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "vertex_ai": "vertex",
    "vertex_ai_beta": "vertex",
    "huggingface": "hugging_face",
    "ollama_chat": "ollama",
    "codestral": "mistral",
    "cohere_chat": "cohere",
    "jina_ai": "jina",
    "featherless_ai": "featherless",
    "friendliai": "friendli",
    "bedrock_converse": "bedrock",
    "perplexity": "perplexity",
    "github": "github_models",
    "lm_studio": "lm_studio",
    "nvidia_nim": "nvidia_nim",
    "infinity": "openai_compatible",
    "openai_like": "openai_compatible",
    "custom_openai": "openai_compatible",
    "azure_ai": "openai_compatible",
    "aiohttp_openai": "openai",
}
# Where such a provider is asked in OpenAI's wire, for one that has no kind of its own here.
_ADDRESSES: Final[Mapping[str, str]] = {
    "groq": "https://api.groq.com/openai/v1",
    "together_ai": "https://api.together.xyz/v1",
    "fireworks_ai": "https://api.fireworks.ai/inference/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "xai": "https://api.x.ai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "perplexity": "https://api.perplexity.ai",
    "nvidia_nim": "https://integrate.api.nvidia.com/v1",
    "mistral": "https://api.mistral.ai/v1",
    "sambanova": "https://api.sambanova.ai/v1",
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "ollama": "http://127.0.0.1:11434/v1",
    "ollama_chat": "http://127.0.0.1:11434/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "moonshot": "https://api.moonshot.ai/v1",
    "voyage": "https://api.voyageai.com/v1",
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "novita": "https://api.novita.ai/v3/openai",
    "nebius": "https://api.studio.nebius.ai/v1",
    "github": "https://models.inference.ai.azure.com",
}
# The variable that it reads a key from where the file names none.
_VARIABLES: Final[Mapping[str, str]] = {
    "azure_openai": "AZURE_API_KEY",
    "hosted_vllm": "HOSTED_VLLM_API_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
    "huggingface": "HF_TOKEN",
    "cohere": "COHERE_API_KEY",
    "github": "GITHUB_API_KEY",
}
# What LiteLLM reads before the model itself: how it is asked there, and no part of its name.
_SERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "openai": ("responses/",),
    "azure": ("responses/", "o_series/", "gpt5_series/"),
    "bedrock": ("converse/", "invoke/"),
    "bedrock_converse": ("converse/", "invoke/"),
}
_BEGINNINGS: Final = (
    (
        ("gpt-", "o1", "o3", "o4", "chatgpt", "text-embedding-", "dall-e", "whisper", "tts-"),
        "openai",
    ),
    (("claude-",), "anthropic"),
    (("gemini-",), "gemini"),
    (("command-",), "cohere"),
    (("mistral-", "codestral-"), "mistral"),
    (("deepseek-",), "deepseek"),
)
_WITHOUT_KEY: Final = frozenset(
    {"bedrock", "vertex", "vllm", "llama_cpp", "sim", "ollama", "lm_studio"}
)


class Wire(Struct, frozen=True):
    """How a deployment of theirs is asked here."""

    kind: str
    model: str
    base_url: str | None
    key_variable: str | None


def wire_of(params: Mapping[str, Any], kinds: Collection[str]) -> Wire | str:
    """The wire of a deployment with these `litellm_params`; a text says why there is none."""
    given = str(params.get("model") or "")
    address = params.get("api_base") or params.get("base_url")
    if address and "@" in str(address).partition("://")[2].partition("/")[0]:
        return "its api_base holds a user name or a password: a provider here has an api_key"
    if address and "environ/" not in str(address) and not str(address).startswith("${"):
        try:
            parse_url(str(address))
        except ValueError as error:
            return f"its api_base: {error}"
    prefix, slash, rest = given.partition("/")
    named = params.get("custom_llm_provider")
    if named:
        prefix, rest = str(named), rest if prefix == named else given
    elif not slash:
        prefix, rest = _prefix_of(given), given
    if not rest:
        return "it names no model"
    for series in _SERIES.get(prefix, ()):
        rest = rest.removeprefix(series)
    if prefix == "huggingface" and rest.count("/") == 2:
        by, _, whole = rest.partition("/")
        rest = f"{whole}:{by}"
    kind = _KINDS.get(prefix, prefix)
    if kind == "openai" and address and "api.openai.com" not in str(address):
        kind = "openai_compatible"
    if kind not in kinds:
        found = address or _ADDRESSES.get(prefix)
        if found is None:
            return (
                f"there is no provider {prefix[:40]!r} here: give it an api_base that speaks "
                "OpenAI's wire"
                if prefix
                else "its provider is not told: write it before the model, as in openai/NAME"
            )
        kind, address = "openai_compatible", found
    if kind == "openai_compatible" and not address:
        address = _ADDRESSES.get(prefix)
        if address is None:
            return "it has no api_base, and its provider is none that is known here"
    variable = _VARIABLES.get(kind) or _VARIABLES.get(prefix)
    if variable is None:
        variable = None if kind in _WITHOUT_KEY else f"{prefix.upper().replace('-', '_')}_API_KEY"
    return Wire(kind, rest, None if address is None else str(address), variable)


def _prefix_of(model: str) -> str:
    for beginnings, provider in _BEGINNINGS:
        if model.startswith(beginnings):
            return provider
    return ""
