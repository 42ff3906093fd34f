"""A request's body read into a dialect's structs, strictly; what they do not know is set aside.

The structs forbid unknown members, so that nothing is lost unseen. Where one turns up, the body is
read again without it, as often as it takes, and the member is told by its path: the target's codec
then refuses it or leaves it out. A usual request is decoded once.
"""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec
from msgspec import Raw

from tidegate.core.outcome import Refusal
from tidegate.text.strict_json import UNREADABLE

NULL = b"null"
# Beyond it nobody is helped by going on: the request is in no dialect of ours.
MAX_UNKNOWN = 64
# To leave a member out is to read the body again: so much of that, and no more.
MAX_READ_AGAIN_BYTES = 16 * 1024 * 1024
# Values by which a member asks for nothing: what happens without it.
_NEUTRAL = frozenset({b"null", b"false", b"0", b"0.0", b"{}", b"[]", b'""', b'["text"]'})

T = TypeVar("T")

_UNKNOWN_MEMBER = re.compile(
    r"Object contains unknown field `([^.\[\]`]+)`(?: - at `\$\.?(.*)`)?\Z", re.DOTALL
)
_UNKNOWN_KIND = re.compile(r"Invalid value .* - at `\$\.(.*)\.type`", re.DOTALL)
_AT = re.compile(r" - at `\$\.?(.*)`\Z", re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_encode = msgspec.json.Encoder().encode


def given(raw: Raw) -> Raw | None:
    """A member that is there, and not null."""
    return None if bytes(raw) == NULL else raw


def unknown(members: dict[str, Raw], known: AbstractSet[str]) -> dict[str, Raw]:
    """The top-level members that are not `known` and ask for something."""
    return {
        name: raw
        for name, raw in members.items()
        if name not in known and bytes(raw) not in _NEUTRAL
    }


def read(decode: Callable[[bytes], T], body: bytes, unread: dict[str, Raw]) -> T:
    """`body` by `decode`, with what it does not know in `unread` by its path. Refusal."""
    for _ in range(max(1, min(MAX_UNKNOWN, MAX_READ_AGAIN_BYTES // max(len(body), 1)))):
        try:
            return decode(body)
        except UNREADABLE as error:
            path = _unknown(str(error))
            if path is None:
                raise _refusal(str(error)) from None
            body = _without(body, path, unread)
    try:
        return decode(body)
    except UNREADABLE as error:
        raise _refusal(str(error)) from None


def _unknown(message: str) -> str | None:
    """The path of the member or part that no struct knows, where that is what is wrong."""
    match = _UNKNOWN_MEMBER.match(message)
    if match is not None:
        return f"{match[2]}.{match[1]}" if match[2] else match[1]
    match = _UNKNOWN_KIND.match(message)
    return None if match is None else match[1]


def _refusal(message: str) -> Refusal:
    match = _AT.search(message)
    path = match[1] if match else ""
    problem = message[: match.start()] if match else message
    if problem.startswith("Object missing required field"):
        name = problem.rpartition("field ")[2].strip("`")
        path = f"{path}.{name}" if path else name
        return Refusal("missing_parameter", f"`{path}` is missing", param=path)
    path = path or "body"
    return Refusal("invalid_parameter", f"`{path}`: {problem}"[:500], param=path[:200])


def _without(body: bytes, path: str, unread: dict[str, Raw]) -> bytes:
    """The body less what is at `path`. Numbers and texts beside it keep their bytes."""
    steps = [name or int(index) for name, index in _STEP.findall(path)]
    try:
        return bytes(_cut(body, steps, path, unread))
    except (*UNREADABLE, KeyError, IndexError):
        # A name that reads like a path: what is wrong can be said, not mended.
        raise Refusal(
            "invalid_parameter", f"`{path}` is no member of this API"[:500], param=path[:200]
        ) from None


def _cut(value: bytes | Raw, steps: list[str | int], path: str, unread: dict[str, Raw]) -> bytes:
    step, rest = steps[0], steps[1:]
    held: dict[str, Raw] | list[Raw]
    if isinstance(step, int):
        items = msgspec.json.decode(value, type=list[Raw])
        if rest:
            items[step] = Raw(_cut(items[step], rest, path, unread))
        else:
            unread[path] = items.pop(step)
        held = items
    else:
        members = msgspec.json.decode(value, type=dict[str, Raw])
        if rest:
            members[step] = Raw(_cut(members[step], rest, path, unread))
        elif bytes(gone := members.pop(step)) not in _NEUTRAL:
            unread[path] = gone
        held = members
    return _encode(held)
