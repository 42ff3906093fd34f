"""able: whether a target's model can take and do what a request asks, before it is sent."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask, content_name
from tidegate.core.model_facts import Modality, ModelFacts
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Target
from tidegate.gateway.fit import fit
from tidegate.gateway.media import kinds, may_have_parts

# What a body has somewhere that holds such a part: a look that spares most bodies the reading.
_MARKS: Final[tuple[tuple[Modality, tuple[bytes, ...]], ...]] = (
    ("image", (b"image",)),
    ("audio", (b"audio",)),
    ("video", (b"video",)),
    ("pdf", (b"file", b"document")),
)
_TOOLS: Final = ("tools", "functions")
_NOTHING: Final = frozenset({b"null", b"[]", b'"none"'})
# Where each dialect asks for a JSON Schema.
_SCHEMAS: Final = {OPENAI_RESPONSES: "text", ANTHROPIC_MESSAGES: "output_config"}


class _Form(Struct):
    type: str | None = None
    format: "_Form | None" = None


_form = msgspec.json.Decoder(_Form).decode


def able(ask: Ask, target: Target) -> None:
    """Refusal where the prompt does not fit (`fit`), or that names the member which the model
    cannot do (`unsupported_parameter`). A ceiling beyond what it can write is lowered to that."""
    facts = target.facts if ask.endpoint == "chat" else None
    if target.context_tokens is not None:
        fit(ask, target, target.context_tokens, None if facts is None else facts.output_tokens)
    if facts is not None:
        _check(ask, target, facts)


def _check(ask: Ask, target: Target, facts: ModelFacts) -> None:
    most = facts.output_tokens
    if most is not None and (ask.output_ceiling_tokens or 0) > most:
        ask.output_bound_tokens = min(most, ask.output_bound_tokens or most)
    members = ask.members
    if facts.tools is False:
        for name in _TOOLS:
            if bytes(members.get(name, b"null")) not in _NOTHING:
                raise _no(target, "does not call tools", name)
    if facts.json_schema is False:
        name = _SCHEMAS.get(ask.dialect, "response_format")
        if name in members and _wants_schema(members[name]):
            raise _no(target, "cannot be held to a JSON Schema", name)
    if facts.inputs is not None and not facts.more_inputs and may_have_parts(ask):
        for kind in _lacking(ask, facts):
            raise _no(target, f"takes no {kind}", content_name(ask))


def _lacking(ask: Ask, facts: ModelFacts) -> Iterator[Modality]:
    """What the prompt holds and the model does not take."""
    body = ask.body
    suspected = {
        kind
        for kind, marks in _MARKS
        if not facts.takes(kind) and any(mark in body for mark in marks)
    }
    if suspected:
        yield from sorted(suspected & kinds(ask))


def _wants_schema(raw: Raw) -> bool:
    try:
        told = _form(raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    form = told.format or told
    return form.type == "json_schema"


def _no(target: Target, what: str, member: str) -> Refusal:
    message = f"the model {target.model} {what}; leave it out, or use another model"
    return Refusal("unsupported_parameter", message, param=member)
