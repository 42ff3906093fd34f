"""A `multipart/form-data` body from an untrusted sender, read strictly and without copying it.

A part is told by where it lies, so that a body may be a file that is mapped and never in memory.
What two parsers could read differently is refused: a preamble or an epilogue, a header or a
parameter that comes twice, a name that comes twice, a boundary in the middle of a line.
"""

import mmap
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

MAX_PARTS: Final = 32
MAX_HEAD_BYTES: Final = 4 * 1024
MAX_NAME_CHARS: Final = 256
# Of a field's content in one look.
PIECE_BYTES: Final = 256 * 1024

Body = bytes | mmap.mmap

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER = re.compile(r';[ \t]*([a-zA-Z*]{1,32})=("(?:[^"\\\r\n]|\\[\\"])*"|[^\s;",]+)[ \t]*')
_HEADER = re.compile(rb"([A-Za-z-]{1,64}):[ \t]*([^\r\n\x00]*)")
_PLAIN: Final = frozenset({"7bit", "8bit", "binary"})
_KNOWN: Final = frozenset({"name", "filename", "filename*"})


class MultipartProblem(ValueError):
    """What is wrong with a body, in words for its sender."""


class Part(Struct, frozen=True):
    """One field of a form: the bytes from `start` up to `end` of the body. `filename` is None where
    it is no file."""

    name: str
    start: int
    end: int
    filename: str | None = None
    content_type: str | None = None

    def content(self, body: Body) -> bytes:
        """A copy of it."""
        return bytes(body[self.start : self.end])


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names. MultipartProblem where it is of no form."""
    kind, parameters = _parameters(content_type)
    if kind.lower() != "multipart/form-data":
        raise MultipartProblem("the body must be multipart/form-data")
    boundary = parameters.get("boundary")
    if boundary is None or not _BOUNDARY.fullmatch(boundary):
        raise MultipartProblem("the Content-Type names no boundary of 1 to 70 plain characters")
    return boundary.encode("ascii")


def parts(body: Body, boundary: bytes, *, written_anew: bool = False) -> list[Part]:
    """Its fields, in order; each name once, unless it ends in `[]`. MultipartProblem. What is
    `written_anew` under another boundary is read by nobody else as it came."""
    looked = looking(body, boundary, written_anew=written_anew)
    return next(found for found in looked if found is not None)


def looking(
    body: Body, boundary: bytes, *, written_anew: bool = False
) -> Iterator[list[Part] | None]:
    """The same by steps, each a look at a piece of the body, for whoever has others to serve
    meanwhile: None until all of it was looked at, its fields then."""
    line = b"--" + boundary
    if bytes(body[: len(line) + 2]) != line + b"\r\n":
        raise MultipartProblem("the body does not begin with the boundary")
    found: list[Part] = []
    names: set[str] = set()
    at, delimiter = len(line) + 2, b"\r\n" + line
    while True:
        if len(found) == MAX_PARTS:
            raise MultipartProblem(f"the form has more than {MAX_PARTS} fields")
        start = _head_end(body, at)
        head = bytes(body[at : start - 2])
        end, at = -1, start
        while end < 0 and at < len(body):
            end = body.find(delimiter, at, at + PIECE_BYTES + len(delimiter))
            at += PIECE_BYTES
            yield None
        if end < 0:
            raise MultipartProblem("the body ends before its last boundary")
        if not written_anew and _may_end_sooner(body, start, end, line):
            raise MultipartProblem("a field's content has a line that begins with the boundary")
        part = _part(head, start, end)
        if part.name in names and not part.name.endswith("[]"):
            raise MultipartProblem("a field of the form comes twice")
        names.add(part.name)
        found.append(part)
        at = end + len(delimiter) + 2
        what = bytes(body[at - 2 : at])
        if what == b"--":
            if bytes(body[at : at + 3]) not in (b"", b"\r\n"):
                raise MultipartProblem("something follows the form's last boundary")
            yield found
            return
        if what != b"\r\n":
            raise MultipartProblem("the boundary stands in the middle of a line")


def _may_end_sooner(body: Body, start: int, end: int, line: bytes) -> bool:
    """Whether a parser that takes a bare line feed for the end of a line, or a head's last one for
    that before a boundary, sees one here."""
    if bytes(body[start : start + len(line)]) == line:
        return True
    return any(body.find(mark + line, start, end) >= 0 for mark in (b"\n", b"\r"))


def _head_end(body: Body, at: int) -> int:
    """Where the content begins of the part that begins at `at`."""
    end = body.find(b"\r\n\r\n", at, at + MAX_HEAD_BYTES)
    if end < 0:
        raise MultipartProblem(f"a field's head does not end within {MAX_HEAD_BYTES} bytes")
    return end + 4


def _part(head: bytes, start: int, end: int) -> Part:
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n")[:-1]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise MultipartProblem("a field's head holds a line that is no header")
        name = match[1].decode("ascii").lower()
        if name in headers:
            raise MultipartProblem(f"a field's head holds `{name}` twice")
        try:
            headers[name] = match[2].decode("utf-8").strip()
        except UnicodeDecodeError:
            raise MultipartProblem(f"a field's `{name}` is not UTF-8") from None
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN:
        raise MultipartProblem("a field is encoded; send its bytes as they are")
    kind, parameters = _parameters(headers.get("content-disposition", ""))
    field = parameters.get("name")
    if kind.lower() != "form-data" or not field or not _KNOWN.issuperset(parameters):
        raise MultipartProblem('each field needs `content-disposition: form-data; name="..."`')
    filename = parameters.get("filename")
    if "filename*" in parameters and filename is None:
        filename = "file"
    for text in (field, filename or ""):
        if len(text) > MAX_NAME_CHARS or not text.isprintable():
            raise MultipartProblem(
                f"a field's name has at most {MAX_NAME_CHARS} printable characters"
            )
    return Part(field, start, end, filename, headers.get("content-type"))


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    """What a header says before its first semicolon, and its parameters."""
    kind, semicolon, _ = value.partition(";")
    found: dict[str, str] = {}
    at = len(kind)
    while semicolon and at < len(value):
        match = _PARAMETER.match(value, at)
        if match is None or match[1].lower() in found:
            raise MultipartProblem("a header's parameters cannot be read")
        text = match[2]
        if text.startswith('"'):
            text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        found[match[1].lower()] = text
        at = match.end()
    return kind.strip(), found
