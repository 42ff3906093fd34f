"""A JSON object from an untrusted sender, read one level deep and strictly.

Values stay the bytes that came. What two parsers could read differently is refused: duplicate or
case-variant names of members that we judge, bytes that are not UTF-8, lone surrogates, numbers
no parser agrees on, nesting beyond a bound. Each check has a test at C speed that clears the
usual body in a fraction of a microsecond; only what it does not clear is looked at closely.
"""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Raw

# What decoding raises of bytes that are not JSON of the shape wanted, or not even UTF-8.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MAX_DEPTH = 64
MAX_NUMBER_CHARS = 64
# Far beyond any real request; keeps the worst body from holding the loop.
MAX_STRINGS = 1_000_000
MAX_STRUCTURE_CHARS = 1_000_000
# Of so much at the most is said which member came twice: each name is looked for in all of it.
_SEARCHED_BYTES: Final = 4_000_000

_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_OUTLINE = bytes(
    ord("0") if b in b"0123456789.eE+-" else ord("[") if b in b"[{" else ord(" ")
    for b in range(256)
)
_TOO_MANY_DIGITS = b"0" * (MAX_NUMBER_CHARS + 1)
_NOT_MEMBERS = bytes(b for b in range(256) if b not in b"[]{}:")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_INNERMOST = re.compile(rb"\{:*\}|\[:*\]")
_PLAIN_NAMES = re.compile(r'[^"\\]*')
_MAY_BE_HALF = re.compile(rb"\\u[dD]")
_SURROGATE_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


class JsonProblem(ValueError):
    """What is wrong with a body, in words for its sender; `path` names the member, if one."""

    def __init__(self, message: str, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path


def read_object(body: bytes, judged: AbstractSet[str]) -> dict[str, Raw]:
    """The members of the JSON object `body`, in order. JsonProblem when it is not strict JSON.

    `judged` names the members whose values decide something here, in lower case.
    """
    if not body.isascii():
        _check_utf8(body)
    # `find`, because `in` first takes bytes for a number, and to fail in that costs a microsecond.
    if body.find(b"\\") >= 0 and _MAY_BE_HALF.search(body):
        _check_escapes(body)
    # Every bracket and every digit counts here, also those inside strings.
    outline = body.translate(_OUTLINE)
    if outline.count(b"[") > MAX_DEPTH or outline.find(_TOO_MANY_DIGITS) >= 0:
        _check_nesting_and_numbers(body)
    try:
        members = _decode(body)
    except msgspec.DecodeError as error:
        raise JsonProblem(_explain(body, error)) from None
    names = "".join(members)
    if not (names.isascii() and names.islower()):
        _check_case(members, judged)
    # Written as short as can be, a body without whitespace keeps its length, unless a member
    # that came twice has been lost.
    if len(_encode(members)) != len(body) and not _is_spaced(body, members):
        _check_twice(body, members)
    return members


def count_members(body: bytes) -> int:
    """How many members all objects of a JSON text have, those that come twice counted twice.
    JsonProblem where there are too many to be looked at."""
    return _structure_of(_outside_strings(body)).count(b":")


def loses_members(body: bytes, read: Any) -> bool:
    """Whether a member of a JSON text that came twice, at any depth, is not in what was `read` of
    it; True too where there are too many to be looked at."""
    known, left = 0, [read]
    while left:
        it = left.pop()
        if isinstance(it, dict):
            known += len(it)
            left += it.values()
        elif isinstance(it, list):
            left += it
    try:
        return count_members(body) != known
    except JsonProblem:
        return True


def _check_case(members: Iterable[str], judged: AbstractSet[str]) -> None:
    for name in members:
        if name not in judged and name.casefold() in judged:
            raise JsonProblem(f"the member {name!r} must be written {name.casefold()!r}", name)


def _outside_strings(body: bytes) -> bytes:
    """Structure, numbers, literals and spaces: the even pieces between quotes."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if body.count(b'"') > 2 * MAX_STRINGS:
        raise JsonProblem(f"the body holds more than {MAX_STRINGS} strings")
    return b"".join(body.split(b'"')[::2])


def _structure_of(outside: bytes) -> bytes:
    structure = outside.translate(None, _NOT_MEMBERS)
    if len(structure) > MAX_STRUCTURE_CHARS:
        raise JsonProblem("the body holds too many values")
    return structure


def _check_nesting_and_numbers(body: bytes) -> None:
    outside = _outside_strings(body)
    _check_depth(_structure_of(outside))
    if outside.translate(_OUTLINE).find(_TOO_MANY_DIGITS) >= 0:
        raise JsonProblem(f"a number has more than {MAX_NUMBER_CHARS} characters")


def _check_utf8(body: bytes) -> None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = (
            "; UTF-16 and UTF-32 are not accepted" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        )
        raise JsonProblem(f"the body is not UTF-8 at byte {error.start}{hint}") from None
    if body.startswith(b"\xef\xbb\xbf"):
        raise JsonProblem("the body starts with a byte order mark; send plain UTF-8")


def _check_escapes(body: bytes) -> None:
    # An escaped backslash hides the `u` behind it, so those pairs go first.
    for match in _SURROGATE_ESCAPES.finditer(body.replace(b"\\\\", b"__")):
        if match[1] is not None:
            raise JsonProblem(f"the body has half a surrogate pair at byte {match.start()}")


def _check_depth(structure: bytes) -> None:
    if len(structure) <= MAX_DEPTH:
        return
    brackets = structure.translate(_ONE_KIND, b":")
    for _ in range(MAX_DEPTH):
        shorter = brackets.replace(b"[]", b"")  # takes away the innermost level
        if not shorter or len(shorter) == len(brackets):
            return  # flat enough, or unbalanced: the decoder says where
        brackets = shorter
    raise JsonProblem(f"the body is nested deeper than {MAX_DEPTH} levels")


def _is_spaced(body: bytes, members: dict[str, Raw]) -> bool:
    """Whether a body is what Python's own `json` makes of these members, each of them once. Names
    that read otherwise than they are written are not looked at."""
    if not _PLAIN_NAMES.fullmatch("".join(members)):
        return False
    written = [b'"%b": %b' % (name.encode(), value) for name, value in members.items()]
    return b"{%b}" % b", ".join(written) == body


def _check_twice(body: bytes, members: dict[str, Raw]) -> None:
    structure = _structure_of(_outside_strings(body))
    if structure.count(b":") == len(members):
        return  # no nested object has members, so none at the top was swallowed
    top = structure[1:-1]
    while (shorter := _INNERMOST.sub(b"", top)) != top:
        top = shorter
    if top.count(b":") != len(members):
        named = islice(members, _SEARCHED_BYTES // len(body))
        written = (name for name in named if body.count(_encode(name)) > 1)
        raise JsonProblem(
            "a member appears twice at the top level of the body", next(written, None)
        )


def _explain(body: bytes, error: msgspec.DecodeError) -> str:
    if not body.strip():
        return "the body is empty; send a JSON object"
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        return "the body must be a JSON object"
    return f"the body is not JSON: {text}"
