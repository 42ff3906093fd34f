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
from tidegate.text.strict_json import UNREADABLE, JsonProblem, count_members

_decode: Final = msgspec.json.Decoder().decode
# Members of a body, in whichever wire, with whose their texts are that say nothing of it.
_MEMBERS: Final[tuple[tuple[str, Source], ...]] = (
    *(("messages", "asked"), ("input", "asked"), ("prompt", "asked"), ("query", "asked")),
    ("documents", "brought"),
)
# Members that their writer names as he likes.
_ANYBODYS: Final = frozenset({"documents"})
_ROLES: Final[dict[str, Source]] = {"user": "asked", "tool": "brought", "function": "brought"}
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
_LEAST_CHARS: Final = 8
# More than that nobody has judged: it would take a tenth of a second of a core and more.
MOST_CHARS: Final = 1024 * 1024


def judge_request(ask: Ask, guarding: Guarding, judges: Sequence[Guard]) -> None:
    """Has each text judged, with whose it is. Refusal."""
    texts = list(texts_of(ask))
    if sum(len(text) for _, text in texts) > MOST_CHARS:
        for guard in judges:
            guarding.failed(guard.guardrail, "input", "too_long")
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
    left: list[tuple[Any, Source, bool]] = [(value, source, anybodys)]
    while left:
        it, whose, open_ = left.pop()
        if isinstance(it, str):
            inner = _inner(it) if whose == "brought" and it.lstrip()[:1] in ("{", "[") else None
            if inner is not None:
                left.append((inner, whose, True))
            if len(it) >= _LEAST_CHARS and (inner is None or _loses(it, inner)):
                yield whose, it
        elif isinstance(it, list):
            left += [(one, whose, open_) for one in reversed(it)]
        elif isinstance(it, dict) and open_:
            left += [(one, whose, True) for pair in reversed(it.items()) for one in pair[::-1]]
        elif isinstance(it, dict):
            found = _source(it, whose)
            if found is not None:
                parts = [(one, found, False) for name, one in it.items() if name not in _NO_TEXT]
                left += reversed(parts)
            else:
                left += [(one, "brought", False) for one in reversed(_answers(it))]


def _answers(it: dict[str, Any]) -> list[Any]:
    """What its provider's own tools brought, amid what a model said."""
    kind, content = it.get("type"), it.get("content")
    if isinstance(kind, str) and kind.endswith(_CALL):
        return [it[name] for name in _ANSWERS if name in it]
    if not isinstance(content, list):
        return []
    return [one for one in content if isinstance(one, dict) and _is_brought(one.get("type"))]


def _is_brought(kind: Any) -> bool:
    return isinstance(kind, str) and (kind in _BROUGHT or kind.endswith(_OF_TOOLS))


def _source(it: dict[str, Any], whose: Source) -> Source | None:
    """Whose the texts below it are; None: nobody's that matters."""
    kind, role = it.get("type"), it.get("role")
    if _is_brought(kind):
        return "brought"
    if isinstance(kind, str) and (kind in _SAID or kind.endswith(_CALL)):
        return None
    if isinstance(role, str) and whose == "asked":
        return _ROLES.get(role)
    return whose


def _inner(text: str) -> Any:
    """What a text of JSON says; None where it is none."""
    try:
        found = _decode(text)
    except (*UNREADABLE, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _loses(text: str, read: Any) -> bool:
    """Whether a member of it that came twice has been lost: a model is shown both."""
    known, left = 0, [read]
    while left:
        it = left.pop()
        if isinstance(it, dict):
            known += len(it)
            left += it.values()
        elif isinstance(it, list):
            left += it
    try:
        return count_members(text.encode()) != known
    except JsonProblem:
        return True
