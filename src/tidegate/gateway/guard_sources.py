"""guard_sources: the texts of a request by whose they are, for guardrails to which that matters.

What users ask is told apart from what tools and documents bring along. What the application says
of its own (system prompts, instructions, descriptions of tools) and earlier answers are neither.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from tidegate.core.ask import Ask
from tidegate.core.guardrail import Source, SourceDetector
from tidegate.core.outcome import Refusal
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.prepared_guardrails import Guard
from tidegate.text.strict_json import UNREADABLE, loses_members

_decode: Final = msgspec.json.Decoder().decode
# Members of a body, in whichever wire, with whose their texts are that say nothing of it.
_MEMBERS: Final[tuple[tuple[str, Source], ...]] = (
    *(("messages", "asked"), ("input", "asked"), ("prompt", "asked"), ("query", "asked")),
    ("documents", "brought"),
)
# Members that their writer names as he likes.
_ANYBODYS: Final = frozenset({"documents"})
_TOOLS: Final = frozenset({"tool", "function"})
# Whose messages are nobody's that matters; those of any other role are shown to a model as asked.
_OWN: Final = frozenset({"system", "developer", "assistant"})
# Of a part or an item, by its type: results of tools, documents, what a search found.
_BROUGHT: Final = frozenset({"document", "search_result", "tool_result"})
_OF_TOOLS: Final = ("_output", "_tool_result")
# What a model said, or nobody can read.
_SAID: Final = frozenset({"reasoning", "tool_use", "base64"})
_CALL: Final = "_call"
# Of a call, what its provider's own tools brought.
_ANSWERS: Final = ("output", "outputs", "results")
# What is no text of anybody: names, ids, media.
_NO_TEXT: Final = frozenset(
    {"type", "role", "id", "call_id", "tool_call_id", "tool_use_id", "item_id", "name", "status"}
    | {"file_id", "file_data", "image_url", "input_audio", "cache_control", "media_type", "model"}
    | {"file_url", "filename", "url", "encrypted_content", "signature"}
)
# A value to be looked at, whose it is, and whether whoever wrote it named its members.
_Part = tuple[Any, Source, bool]
_LEAST_CHARS: Final = 8
# More than that nobody has judged: it would take a tenth of a second of a core and more.
MOST_CHARS: Final = 1024 * 1024


def judge_request(ask: Ask, guarding: Guarding, judges: Sequence[Guard]) -> None:
    """Has each text judged, with whose it is. Refusal."""
    texts = list(texts_of(ask))
    if sum(len(text) for _, text in texts) > MOST_CHARS:
        for guard in judges:
            guarding.too_long(guard.guardrail, "input", MOST_CHARS)
        return
    for source, text in texts:
        for guard in judges:
            _judge(text, source, guard, guarding)


def _judge(text: str, source: Source, guard: Guard, guarding: Guarding) -> None:
    guardrail, detector = guard.guardrail, guard.detector
    assert isinstance(detector, SourceDetector)  # noqa: S101 - see `prepared_guardrails`
    try:
        found = detector.judge(text, source)
    except Exception:  # a plug's fault must not let a text pass unseen
        guarding.failed(guardrail, "input", "error")
        return
    if found is None:
        return
    action = guardrail.action_of(found.type)
    if action == "block":
        guarding.block(guardrail, "input", found.type, found.score)
    guarding.note(guardrail, "input", found.type, action, found.score)


def texts_of(ask: Ask) -> Iterator[tuple[Source, str]]:
    """Each with whose it is, in their order. Refusal where one cannot be read."""
    for name, source in _MEMBERS:
        raw = ask.members.get(name)
        if raw is None:
            continue
        try:
            value = _decode(raw)
        except UNREADABLE:
            message = f"`{name}` cannot be read, and that model's requests are looked through"
            raise Refusal("invalid_parameter", message, param=name) from None
        if name == "prompt" and isinstance(value, dict):
            value = value.get("variables")
        yield from _texts(value, source, anybodys=name in _ANYBODYS)


def _texts(value: Any, source: Source, *, anybodys: bool) -> Iterator[tuple[Source, str]]:
    """By a list of what is still to be looked at: it may be deeper than any stack. Where it is
    `anybodys`, whoever wrote it named its members too, and none of them is left out."""
    items = value if isinstance(value, list) else [value]
    left = [part for one in reversed(items) for part in _item(one, source, anybodys)]
    while left:
        it, whose, open_ = left.pop()
        if isinstance(it, str):
            inner = _inner(it) if whose == "brought" and it.lstrip()[:1] in ("{", "[") else None
            if inner is not None:
                left.append((inner, whose, True))
            if len(it) >= _LEAST_CHARS and (inner is None or loses_members(it.encode(), inner)):
                yield whose, it
        elif isinstance(it, list):
            left += [(one, whose, open_) for one in reversed(it)]
        elif isinstance(it, dict) and open_:
            left += [(one, whose, True) for pair in reversed(it.items()) for one in pair[::-1]]
        elif isinstance(it, dict):
            found = _source(it, whose)
            if found is not None:
                left += _parts(it, found)
            else:
                left += _answers(it)


def _item(it: Any, source: Source, open_: bool) -> list[_Part]:
    """A message is its role's, whatever else it says of itself; no part of one has a role."""
    role = it.get("role") if isinstance(it, dict) else None
    if not isinstance(role, str) or source != "asked" or _is_brought(it.get("type")):
        return [(it, source, open_)]
    if role in _OWN:
        return _answers(it)
    return _parts(it, "brought" if role in _TOOLS else "asked")


def _parts(it: dict[str, Any], whose: Source) -> list[_Part]:
    parts: list[_Part] = [(one, whose, False) for name, one in it.items() if name not in _NO_TEXT]
    return parts[::-1]


def _answers(it: dict[str, Any]) -> list[_Part]:
    """What its provider's own tools brought, amid what a model said."""
    kind, content = it.get("type"), it.get("content")
    found: list[Any] = []
    if isinstance(kind, str) and kind.endswith(_CALL):
        found = [it[name] for name in _ANSWERS if name in it]
    elif isinstance(content, list):
        found = [one for one in content if isinstance(one, dict) and _is_brought(one.get("type"))]
    return [(one, "brought", False) for one in reversed(found)]


def _is_brought(kind: Any) -> bool:
    return isinstance(kind, str) and (kind in _BROUGHT or kind.endswith(_OF_TOOLS))


def _source(it: dict[str, Any], whose: Source) -> Source | None:
    """Whose the texts below it are; None: nobody's that matters."""
    kind = it.get("type")
    if _is_brought(kind):
        return "brought"
    if isinstance(kind, str) and (kind in _SAID or kind.endswith(_CALL)):
        return None
    return whose


def _inner(text: str) -> Any:
    """What a text of JSON says; None where it is none."""
    try:
        found = _decode(text)
    except (*UNREADABLE, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None
