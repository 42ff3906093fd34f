"""guard_texts: the texts of a body of JSON, wherever they stand, and the body with others in their
place. What is no text of anybody (ids, types, media, what is sealed) is left alone.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from tidegate.text.strict_json import UNREADABLE, loses_members

Clean = Callable[[str], str]
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
# Members that say how a text is meant, or whose it is, and none of it.
_NO_TEXT: Final = frozenset(
    {"type", "role", "id", "call_id", "tool_call_id", "tool_use_id", "item_id", "status", "phase"}
    | {"name", "model", "object", "detail", "format", "media_type", "mime_type", "cache_control"}
    | {
        "signature",
        "encrypted_content",
        "file_id",
        "file_data",
        "image_url",
        "input_audio",
        "audio",
        "encrypted_index",
    }
    | {
        "finish_reason",
        "stop_reason",
        "index",
        "logprobs",
        "server_label",
        "container",
        "namespace",
    }
)
# Thinking that its provider has signed, or sealed: changed, it would not be taken back.
_SEALED: Final = frozenset({"thinking", "redacted_thinking"})
_OF_SEALED: Final = frozenset({"thinking", "data", "signature"})
_OPEN: Final = frozenset({"input", "variables", "arguments", "action"})
_JSON_TEXTS: Final = frozenset({"arguments"})
# An item that has drawn an image has it as its result.
_DRAWN: Final = "image_generation_call"
# What is nothing but an image, a sound or a document, wherever it stands.
_MEDIA: Final = re.compile(
    r"data:(?:image|audio|video|application/pdf)[\w./+;=-]{0,100};base64,[A-Za-z0-9+/_=-]*"
)
# Of what a caller defines: words of the schema's own language, whose values are no text.
_SCHEMA: Final = frozenset({"type", "format", "$ref", "$schema", "cache_control"})
_NAMES: Final = frozenset({"name", "required"})
_VALUES: Final = frozenset({"default", "const", "enum", "example", "examples", "input_examples"})
# The schema's own words, where they are names of members.
_WORDS: Final = frozenset(
    {"parameters", "input_schema", "schema", "json_schema", "function", "strict", "properties"}
    | {"description", "items", "additionalProperties", "anyOf", "oneOf", "allOf", "$defs"}
    | _SCHEMA
    | _NAMES
    | _VALUES
)
# What a tool's own server is told, and no model is shown.
_OF_SERVER: Final = frozenset(
    {"authorization", "authorization_token", "headers", "server_url", "url", "vector_store_ids"}
    | {"container", "connector_id"}
)


def cleaned(value: Any, clean: Clean, *, keeps_sealed: bool = True) -> Any:
    """`value` with each text as `clean` has it; the same object where none is another."""
    if isinstance(value, str):
        return _text(value, clean)
    if isinstance(value, list):
        return _list(value, lambda it: cleaned(it, clean, keeps_sealed=keeps_sealed))
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    sealed = isinstance(kind, str) and kind in _SEALED
    signed = kind != "thinking" or bool(value.get("signature"))
    kept = _OF_SEALED if sealed and signed and keeps_sealed else frozenset()
    source = value.get("source")
    if isinstance(source, dict) and source.get("type") in ("base64", "url", "file"):
        value_source = source
    else:
        value_source = None
    changed: dict[str, Any] = {}
    for name, it in value.items():
        if name in _NO_TEXT or name in kept or it is value_source:
            continue
        if name == "result" and kind == _DRAWN:
            continue
        if name in _JSON_TEXTS and isinstance(it, str):
            made: Any = cleaned_json(it, clean)
        elif name in _OPEN and isinstance(it, dict):
            made = everywhere(it, clean)
        else:
            made = cleaned(it, clean, keeps_sealed=keeps_sealed)
        if made is not it:
            changed[name] = made
    if not changed:
        return value
    if sealed and not keeps_sealed and "signature" in value:
        changed["signature"] = ""
    return {**value, **changed}


def everywhere(value: Any, clean: Clean) -> Any:
    """The same of a value whose members are anybody's: their names and numbers among them."""
    if isinstance(value, str):
        return _text(value, clean)
    if isinstance(value, list):
        return _list(value, lambda it: everywhere(it, clean))
    if isinstance(value, dict):
        made = {clean(name): everywhere(it, clean) for name, it in value.items()}
        same = len(made) == len(value) and all(made.get(name) is it for name, it in value.items())
        return value if same else made
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = str(value)
        found = clean(shown)
        return value if found == shown else found
    return value


def defined(value: Any, clean: Clean, names: list[str]) -> Any:
    """The same of what a caller defines, tools and forms of answers, all of which a model is shown.
    Its names must stay what they are: they are added to `names`."""
    if isinstance(value, str):
        return _text(value, clean)
    if isinstance(value, list):
        return _list(value, lambda it: defined(it, clean, names))
    if not isinstance(value, dict):
        return value
    changed: dict[str, Any] = {}
    for name, it in value.items():
        if name not in _WORDS:
            names.append(name)
        if name in _SCHEMA and isinstance(it, str):
            continue
        if name in _NAMES and _is_name(it):
            names += it if isinstance(it, list) else [it]
            continue
        made = everywhere(it, clean) if name in _VALUES else defined(it, clean, names)
        if made is not it:
            changed[name] = made
    return {**value, **changed} if changed else value


def tools(value: Any, clean: Clean, names: list[str]) -> Any:
    """`defined` of tools, but for what is told to their servers."""
    if isinstance(value, list):
        return _list(value, lambda it: tools(it, clean, names))
    if not isinstance(value, dict):
        return value
    shown = {name: it for name, it in value.items() if name not in _OF_SERVER}
    made = defined(shown, clean, names)
    return value if made is shown else {**value, **made}


def cleaned_json(text: str, clean: Clean) -> str:
    """A text that is JSON, such as the arguments of a call; any other as it is written."""
    try:
        value = _decode(text)
    except UNREADABLE:
        return clean(text)
    if not isinstance(value, dict | list):
        return clean(text)
    try:
        made = everywhere(value, clean)
    except RecursionError:  # deeper than anybody's
        return clean(text)
    if made is value and not loses_members(text.encode(), value):
        return text
    return _encode(made).decode()  # of a member that came twice only what was looked at


def _text(value: str, clean: Clean) -> str:
    if value.startswith("data:") and _MEDIA.fullmatch(value) is not None:
        return value
    made = clean(value)
    return value if made == value else made


def _is_name(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(it, str) for it in value)
    )


def _list(value: list[Any], clean: Callable[[Any], Any]) -> list[Any]:
    made = [clean(it) for it in value]
    unlike = any(one is not it for one, it in zip(made, value, strict=True))
    return made if unlike else value
