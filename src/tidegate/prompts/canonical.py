"""What makes two versions the same: the digest of what a model would be asked.

Equal digests mean equal requests from equal variables. So these do not count: comments, line ends,
blank lines around a message, the order of the keys of the front matter, how YAML writes a value, a
description, an owner, suites. These do: every other character of a text, also which of Unicode's
forms it is in (models see other tokens), and the order of members inside a tool or a JSON Schema
(models are shown it).
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.prompt import Prompt
from tidegate.prompts.language import TemplateRefused, read_template

_FORM: Final = "tidegate-prompt-1"
_MOST_EXACT: Final = float(1 << 53)
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


class Changed(Struct, frozen=True):
    """A version that was known under another digest."""

    name: str
    version: str
    was: str
    now: str


def digest_of(prompt: Prompt) -> str:
    """The SHA-256 (hex) of its canonical form. `prompt.digest` is not read."""
    form = (
        _FORM,
        [(turn.role, canonical_text(turn.source)) for turn in prompt.turns],
        sorted((name, canonical_text(source)) for name, source in prompt.partials),
        sorted((it.name, it.kind, _value(it.default)) for it in prompt.inputs),
        sorted((name, canonical_json(value)) for name, value in prompt.parameters),
        None if prompt.tools is None else canonical_json(prompt.tools),
        sorted((pin.model, pin.snapshot or "") for pin in prompt.pins),
        _output(prompt),
    )
    return sha256(_encode(form)).hexdigest()


def canonical_text(source: str) -> str:
    """A template without what stands in its comments. As it is, where it is none."""
    try:
        return read_template(source).canonical
    except TemplateRefused:
        return source


def canonical_json(text: str) -> str:
    """JSON in one way of writing; 1.0 and 1 are one number."""
    return _encode(_number(_decode(text))).decode()


def changed_versions(
    known: Mapping[tuple[str, str], str], found: Mapping[tuple[str, str], str]
) -> tuple[Changed, ...]:
    """Of the versions that were tagged once, by (name, version) and digest, those that say
    something else now: what must not be, and is not obeyed."""
    return tuple(
        Changed(*key, known[key], digest)
        for key, digest in sorted(found.items())
        if known.get(key, digest) != digest
    )


def _output(prompt: Prompt) -> tuple[Any, ...]:
    it = prompt.output
    schema = None if it.json_schema is None else canonical_json(it.json_schema)
    return it.json, schema, it.tools, it.regex, it.max_chars


def _value(default: str | None) -> str | None:
    # As it renders: a default is written into the text.
    return None if default is None else _encode(_decode(default)).decode()


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < _MOST_EXACT:
        return int(value)
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    return value
