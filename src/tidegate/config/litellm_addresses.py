"""Where a deployment of LiteLLM's is asked: at the address that it names, or that LiteLLM makes of
other keys or reads from a variable."""

from collections.abc import Mapping
from typing import Any, Final

from tidegate.config.litellm_headers import is_reference, reference_of
from tidegate.config.litellm_wires import Wire
from tidegate.config.their_file import Their

_OURS: Final = "providers.NAME.base_url"
# Kinds that have no address of their own here, and the variables by which they have one there.
_VARIABLES: Final[Mapping[str, str]] = {
    "azure_openai": "${AZURE_API_BASE}",
    "databricks": "${DATABRICKS_API_BASE}",
    "cloudflare": "https://api.cloudflare.com/client/v4/accounts/${CLOUDFLARE_ACCOUNT_ID}/ai/v1",
    "litellm_proxy": "${LITELLM_PROXY_API_BASE}",
}
# Kinds of which LiteLLM takes the address without `/v1` and writes it itself, and what it writes
# behind that, which may stand in the file as well.
_BEHIND: Final[Mapping[str, str]] = {
    "anthropic": "/messages",
    "hugging_face": "/chat/completions",
    "ollama": "/api/chat",
}


def address_of(wire: Wire, params: Their) -> str | None:
    """As a plan has it; None where its kind knows where it is asked."""
    if wire.kind == "bedrock" and wire.base_url is None:
        region = _either(params, "aws_region_name", "region_name") or "os.environ/AWS_REGION"
        return f"https://bedrock-runtime.{reference_of(region)}.amazonaws.com"
    if wire.kind == "vertex" and wire.base_url is None:
        return _of_vertex(params)
    if wire.base_url is None:
        known = _VARIABLES.get(wire.kind)
        if known is not None:
            said = "its address is not in the file: it is read from the variable, as there"
            params.found.changed(f"{params.at('api_base')} of none", known, said)
        return known
    if is_reference(wire.base_url) and "environ/" not in wire.base_url:
        told_of_variable(params, "api_base")
    address = reference_of(wire.base_url).rstrip("/")
    address = address.removesuffix(_BEHIND.get(wire.kind, "/")).rstrip("/")
    if wire.kind in _BEHIND and not address.endswith("/v1"):
        address += "/v1"
    return address


def told_of_variable(params: Their, name: str) -> None:
    """LiteLLM reads `os.environ/NAME` alone: `${NAME}` is filled in by what starts it."""
    said = "LiteLLM takes it for a text; here it is the variable"
    params.found.changed(f"{params.at(name)}: ${{NAME}}", "a variable", said)


def _of_vertex(params: Their) -> str:
    place = _either(params, "vertex_location", "vertex_ai_location")
    if place is None:
        said = "LiteLLM's own, where VERTEXAI_LOCATION is not set: write the region that is meant"
        params.found.changed(f"{params.at('vertex_location')} of none", "us-central1", said)
        place = "us-central1"
    project = _either(params, "vertex_project", "vertex_ai_project")
    project = reference_of(project or "os.environ/VERTEXAI_PROJECT")
    place = reference_of(place)
    host = "aiplatform" if place == "global" else f"{place}-aiplatform"
    return f"https://{host}.googleapis.com/v1/projects/{project}/locations/{place}"


def _either(params: Their, name: str, other: str) -> Any:
    found, also = params.carry(name, _OURS), params.carry(other, _OURS)
    return found or also
