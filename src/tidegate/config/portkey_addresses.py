"""Which provider a target of Portkey's names, and where that is asked if each account has an
address of its own."""

from collections.abc import Collection, Mapping
from typing import Final

from tidegate.config.moving import Findings
from tidegate.config.their_file import Their
from tidegate.config.their_values import text
from tidegate.config.written_plan import literal

# Their names of providers, as LiteLLM's.
_PROVIDERS: Final[Mapping[str, str]] = {
    "open-ai": "openai",
    "azure-openai": "azure",
    "together-ai": "together_ai",
    "fireworks-ai": "fireworks_ai",
    "vertex-ai": "vertex_ai",
    "google": "gemini",
    "mistral-ai": "mistral",
    "x-ai": "xai",
    "perplexity-ai": "perplexity",
    "nvidia-nim": "nvidia_nim",
    "workers-ai": "cloudflare",
}
_OURS: Final = "providers.NAME.base_url"
_UNSAID: Final = {
    "azure": "${AZURE_API_BASE}",
    "bedrock": "https://bedrock-runtime.${AWS_REGION}.amazonaws.com",
    "vertex_ai": (
        "https://${VERTEXAI_LOCATION}-aiplatform.googleapis.com/v1/projects/${VERTEXAI_PROJECT}"
        "/locations/${VERTEXAI_LOCATION}"
    ),
}


def provider_of(slug: str, kinds: Collection[str], found: Findings) -> str:
    """LiteLLM's name of the provider. A virtual key and an integration have names of their own,
    which begin with their provider's as often as not."""
    prefix = _PROVIDERS.get(slug, slug)
    if prefix in kinds or slug in _PROVIDERS:
        return prefix
    known = [it for it in (*_PROVIDERS, *kinds) if slug.startswith((f"{it}-", f"{it}_"))]
    if not known:
        return prefix
    begins = max(known, key=len)
    said = "its provider is told by its name alone: write another `kind` if that is wrong"
    found.changed(f"provider or virtual_key: {slug[:60]}", begins, said)
    return _PROVIDERS.get(begins, begins)


def address_of(provider: str, part: Their) -> str | None:
    """By LiteLLM's name of the provider; from variables where the target does not say it, as one
    with a virtual key."""
    if provider == "azure":
        resource = _name(part, "resource_name")
        found = f"https://{resource}.openai.azure.com" if resource else None
    elif provider == "bedrock":
        region = _name(part, "aws_region")
        found = f"https://bedrock-runtime.{region}.amazonaws.com" if region else None
    elif provider == "vertex_ai":
        project, region = _name(part, "vertex_project_id"), _name(part, "vertex_region")
        host = "aiplatform" if region == "global" else f"{region}-aiplatform"
        path = f"v1/projects/{project}/locations/{region}"
        found = f"https://{host}.googleapis.com/{path}" if project and region else None
    else:
        return None
    return found or _UNSAID[provider]


def version_of(provider: str, part: Their) -> dict[str, str]:
    """The headers that say which version of a dated API is asked."""
    version = text(part.take("api_version")) if provider == "azure" else None
    if version is None or version == "None":
        return {}
    part.found.carried("api_version", "providers.NAME.headers.api-version")
    return {"api-version": literal(version)}


def _name(part: Their, name: str) -> str | None:
    """A word that may stand in an address."""
    return part.read(name, _OURS, _word, "a name of letters, digits and `-` belongs here")


def _word(value: object) -> str | None:
    told = str(value)
    return told if told.replace("-", "").replace("_", "").isalnum() and told.isascii() else None
