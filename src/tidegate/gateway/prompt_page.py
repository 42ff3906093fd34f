"""`GET /v1/prompts/NAME?tag=TAG`: a prompt as it is served now, for applications that render it
themselves. A key needs the grant: its attribute `reads-prompts` names prompts, or is `*`."""

from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw

from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Plan
from tidegate.core.prompt import STABLE, Prompt, Tagged, is_name
from tidegate.gateway.http import answers

PATHS: Final = (b"/v1/prompts/", b"/prompts/")
GRANT: Final = "reads-prompts"
_EVERY: Final = "*"
_ABSENT: Final = "there is no such prompt, or this API key may not read it"


def prompt_in(path: bytes) -> str | None:
    """The prompt's name in a path; None where it is no path of prompts. Nothing is decoded: no name
    of a prompt needs it."""
    for prefix in PATHS:
        if path.startswith(prefix):
            return path[len(prefix) :].decode("ascii", "replace")
    return None


def prompt_page(name: str, query: bytes, key: KeyRecord, plan: Plan) -> tuple[bytes, bytes]:
    """(head, body). An unknown tag is answered with `stable`, and says so. Refusal."""
    if not is_name(name):
        message = "a prompt is called by small letters, digits, `-`, `_` and `.`"
        raise Refusal("invalid_parameter", message, param="name")
    granted = key.attributes.get(GRANT, "").split()
    tagged = plan.prompts.get(name)
    if tagged is None or not (_EVERY in granted or name in granted):
        raise Refusal("not_found", _ABSENT, param="name")
    asked = _tag(query)
    tag = asked if asked in tagged.tags else STABLE
    prompt = tagged.at(tag)
    if prompt is None:
        message = f"no version of that prompt has this tag, nor the tag `{STABLE}`"
        raise Refusal("not_found", message, param="tag")
    head = answers.json_head(200) + _told(prompt, tag)
    return head, msgspec.json.encode(_body(tagged, prompt, tag, asked))


def _tag(query: bytes) -> str:
    if not query:
        return STABLE
    try:
        found = parse_qs(query.decode("ascii"), strict_parsing=True, max_num_fields=4)
    except (UnicodeDecodeError, ValueError):
        raise Refusal("invalid_parameter", "write `?tag=NAME`", param="query") from None
    tags = found.pop("tag", [])
    if found or len(tags) != 1 or not is_name(tags[0]):
        raise Refusal("invalid_parameter", "write `?tag=NAME`, once", param="tag")
    return tags[0]


def _told(prompt: Prompt, tag: str) -> bytes:
    return (
        f"x-tidegate-prompt: {prompt.name}@{prompt.version}\r\n"
        f"x-tidegate-prompt-tag: {tag}\r\n"
        f'etag: "{prompt.digest}"\r\n'
        "cache-control: no-cache\r\n"
    ).encode()


def _body(tagged: Tagged, prompt: Prompt, tag: str, asked: str) -> dict[str, Any]:
    """Whole: templates with the partials that they include."""
    return {
        "object": "prompt",
        "name": prompt.name,
        "version": prompt.version,
        "digest": prompt.digest,
        "tag": tag,
        "asked_tag": asked,
        "tags": tagged.tags,
        "messages": [{"role": it.role, "template": it.source} for it in prompt.turns],
        "partials": dict(prompt.partials),
        "inputs": [
            {
                "name": it.name,
                "type": it.kind,
                "required": it.default is None,
                "default": None if it.default is None else Raw(it.default.encode()),
                "description": it.description,
            }
            for it in prompt.inputs
        ],
        "parameters": {name: Raw(value.encode()) for name, value in prompt.parameters},
        "tools": None if prompt.tools is None else Raw(prompt.tools.encode()),
        "models": prompt.pins,
        "output": prompt.output,
    }
