"""A body of multipart/form-data from an untrusted sender, read strictly, and written anew.

What two parsers could read differently is refused: a name twice, bytes before the first part or
behind the last, an encoding of a part, a header that is folded or has a control character. The
contents stay the bytes that came, as views of the body: reading takes no memory of its size. Each
byte is looked at once.
"""

import re
from collections.abc import Mapping
from typing import Final

from tidegate.core.metered import Form, Part

MAX_PARTS: Final = 64
MAX_PART_HEAD_BYTES: Final = 4 * 1024
MAX_FIELD_BYTES: Final = 256 * 1024
MAX_FILENAME_CHARS: Final = 255

_TYPE: Final = re.compile(
    rb"multipart/form-data\s*;\s*boundary=(?:\"([^\"\\]{1,70})\"|([^\s;\"]{1,70}))\s*(?:;\s*"
    rb"charset=\"?utf-8\"?\s*)?",
    re.IGNORECASE,
)
# RFC 2046's; a space may not be the last.
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_DISPOSITION: Final = re.compile(
    r'form-data\s*;\s*name="((?:[^"\\]|\\["\\])*)"'
    r'(?:\s*;\s*filename="((?:[^"\\]|\\["\\])*)")?'
    r"(?:\s*;\s*filename\*=utf-8''[A-Za-z0-9!#$&+.^_`|~%-]*)?\s*",
    re.IGNORECASE,
)
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}"
    r'(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]{1,32}=(?:[A-Za-z0-9!#$&^_.+-]{1,64}|"[^"\\\r\n]{0,64}"))*'
)
_ENCODINGS: Final = frozenset({"7bit", "8bit", "binary"})
_PLAIN: Final = frozenset({"content-length"})


class FormProblem(ValueError):
    """What is wrong with a form, in words for its sender; `name` is the field's, if one."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


def boundary_of(content_type: bytes) -> bytes:
    """The boundary that a Content-Type tells. FormProblem."""
    found = _TYPE.fullmatch(content_type.strip())
    boundary = b"" if found is None else found[1] or found[2]
    if not _BOUNDARY.fullmatch(boundary):
        raise FormProblem("the body must be multipart/form-data with a boundary")
    return boundary


def read_form(content_type: bytes, body: bytes) -> Form:
    """The form's parts. FormProblem."""
    boundary = boundary_of(content_type)
    mark, view = b"--" + boundary, memoryview(body)
    if not body.startswith(mark + b"\r\n"):
        raise FormProblem("the body does not begin with its boundary")
    between = b"\r\n" + mark
    parts: list[Part] = []
    at = len(mark) + 2
    while True:
        head_end = body.find(b"\r\n\r\n", at, at + MAX_PART_HEAD_BYTES)
        if head_end < 0:
            raise FormProblem("a part of the form has no head, or one that is too long")
        end = body.find(between, head_end + 4)
        if end < 0:
            raise FormProblem("the form does not end with its boundary")
        parts.append(_part(body[at:head_end], view[head_end + 4 : end]))
        if len(parts) > MAX_PARTS:
            raise FormProblem(f"the form has more than {MAX_PARTS} parts")
        at = end + len(between)
        following = body[at : at + 2]
        at += 2
        if following == b"--":
            if body[at : at + 3] not in (b"", b"\r\n"):
                raise FormProblem("something follows the form's end")
            return Form(boundary, tuple(parts))
        if following != b"\r\n":
            raise FormProblem("a part of the form holds its boundary")


def _part(head: bytes, content: memoryview) -> Part:
    headers = _headers(head)
    disposition = _DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if disposition is None or not disposition[1]:
        raise FormProblem("a part of the form has no name that can be read")
    name = _unquoted(disposition[1])
    if not name.isprintable() or len(name) > MAX_FILENAME_CHARS:
        raise FormProblem("a field's name is too long, or has a control character")
    filename = disposition[2]
    if filename is not None:
        filename = _unquoted(filename)[-MAX_FILENAME_CHARS:]
        if not filename.isprintable():
            raise FormProblem(f"the name of the file `{name}` has a control character", name)
    elif len(content) > MAX_FIELD_BYTES:
        raise FormProblem(f"`{name}` is longer than {MAX_FIELD_BYTES} bytes", name)
    kind = headers.get("content-type")
    if kind is not None and not _MEDIA_TYPE.fullmatch(kind):
        raise FormProblem(f"the type of `{name}` is not one", name)
    return Part(name, content, filename, kind)


def _headers(head: bytes) -> Mapping[str, str]:
    """A part's headers by their names. What would change how its content is to be read is refused,
    what says nothing of it is left out."""
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise FormProblem("the head of a part is not UTF-8") from None
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not value.isprintable() or name in found:
            raise FormProblem("the head of a part cannot be read")
        found[name] = value
        if name == "content-transfer-encoding" and value.lower() not in _ENCODINGS:
            raise FormProblem("a part of the form is encoded; send its bytes as they are")
        plain = name in _PLAIN or name.startswith("x-")
        if not plain and name not in (
            "content-disposition",
            "content-type",
            "content-transfer-encoding",
        ):
            raise FormProblem("a part of the form has a header that no part has")
    return found


def _unquoted(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text)


def write_form(form: Form, values: Mapping[str, bytes]) -> bytes:
    """The form with these fields' values in place of its own, and with those that it has not.

    It has the boundary that it came with. ValueError where a value holds that.
    """
    mark = b"--" + form.boundary
    out: list[bytes | memoryview] = []
    missing = dict(values)
    for part in form.parts:
        value: bytes | memoryview = part.content
        if part.filename is None and part.name in values:
            value = missing.pop(part.name, values[part.name])
        out += (mark, b"\r\n", _head(part), value, b"\r\n")
    for name, value in missing.items():
        out += (mark, b"\r\n", _head(Part(name, memoryview(value))), value, b"\r\n")
    if any(mark in value for value in values.values()):
        raise ValueError("a field's value holds the boundary of its form")
    out += (mark, b"--\r\n")
    return b"".join(out)


def content_type(form: Form) -> bytes:
    return b'multipart/form-data; boundary="%b"' % form.boundary


def _head(part: Part) -> bytes:
    """What could end the quoted name, or be an escape in it, is percent-encoded."""
    head = f'content-disposition: form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        head += f'; filename="{_quoted(part.filename)}"'
    if part.content_type is not None:
        head += f"\r\ncontent-type: {part.content_type}"
    return head.encode() + b"\r\n\r\n"


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\\", "%5C")
