"""Variables of LiteLLM's file in our words, and the headers that a deployment is asked with."""

import re
from typing import Final

from tidegate.config.litellm_wires import Wire
from tidegate.config.their_file import Their
from tidegate.config.their_values import header_name, text
from tidegate.config.written_plan import literal

ENVIRON: Final = re.compile(r"os\.environ/([A-Za-z_][A-Za-z0-9_]*)")
_FILLED_IN: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^${}]*)?\}")
_SECRET: Final = re.compile(r"auth|key|token|secret|cookie|pass|cred", re.IGNORECASE)
_LOOKS_SECRET: Final = re.compile(
    r"^\s*(?:bearer|basic)\s|\b(?:sk|pk|rk|gsk|hf|xai|ghp|glpat)[-_][A-Za-z0-9_-]{12}|\beyJ\w{8}",
    re.IGNORECASE,
)


def is_reference(text: str) -> bool:
    """Whether it names a variable: in LiteLLM's words, or in those of what fills its file in."""
    return bool(ENVIRON.fullmatch(text) or _FILLED_IN.fullmatch(text))


def reference_of(value: object) -> str:
    """Their variables in our words; any other text as it is."""
    text = str(value)
    match = ENVIRON.fullmatch(text)
    if match:
        return f"${{{match[1]}}}"
    return text if _FILLED_IN.fullmatch(text) else literal(text)


def headers_of(wire: Wire, params: Their) -> dict[str, str]:
    """Those of its kind, and those that the file adds; a secret is told of and left."""
    headers: dict[str, str] = {}
    version = params.carry("api_version", "providers.NAME.headers.api-version")
    if version and wire.kind == "azure_openai":
        headers["api-version"] = reference_of(version)
    organization = params.carry("organization", "providers.NAME.headers.OpenAI-Organization")
    if organization:
        headers["OpenAI-Organization"] = reference_of(organization)
    extra = params.take("extra_headers")
    if extra is not None and not isinstance(extra, dict):
        params.found.left(params.at("extra_headers"), "a mapping belongs here")
    for name, value in extra.items() if isinstance(extra, dict) else ():
        where = f"{params.at('extra_headers')}.{name}"
        if _SECRET.search(str(name)) or _LOOKS_SECRET.search(str(value)):
            params.found.left(where, "a secret is no header here: write it as `api_key`")
        elif header_name(name) is None or text(value) is None:
            params.found.left(where, "the gateway writes it itself, or it is no header")
        else:
            params.found.carried(where, "providers.NAME.headers")
            headers[str(name)] = reference_of(value)
    return headers
