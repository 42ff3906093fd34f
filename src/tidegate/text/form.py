"""A form as it goes on to a provider: its parts as views of the body that came, written anew with
other values.

Reading takes no memory of the body's size. Of a part's head only the names and the type are
written, none of which may hold anything that ends a line or a quoted text.
"""

import re
from collections.abc import Mapping
from typing import Final

from tidegate.core.metered import Form, Part
from tidegate.text.multipart import MultipartProblem, boundary_of, parts

MAX_FIELD_BYTES: Final = 256 * 1024

_WORD: Final = r"[A-Za-z0-9!#$&^_.+-]{1,64}"
_MEDIA_TYPE: Final = re.compile(
    rf'{_WORD}/{_WORD}(?:[ \t]*;[ \t]*{_WORD}=(?:{_WORD}|"[^"\\\x00-\x1f\x7f]{{0,64}}"))*'
)


class FormProblem(ValueError):
    """What is wrong with a form, in words for its sender; `name` is the field's, if one."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name


def read_form(content_type: bytes, body: bytes) -> Form:
    """The form's parts. FormProblem."""
    try:
        boundary = boundary_of(content_type.decode("latin-1"))
        found = parts(body, boundary)
    except MultipartProblem as problem:
        raise FormProblem(str(problem)) from None
    view = memoryview(body)
    told: list[Part] = []
    for one in found:
        name, kind = one.name, one.content_type
        if one.filename is None and one.end - one.start > MAX_FIELD_BYTES:
            raise FormProblem(f"`{name}` is longer than {MAX_FIELD_BYTES} bytes", name)
        if kind is not None and not _MEDIA_TYPE.fullmatch(kind):
            raise FormProblem(f"the type of `{name}` is not one", name)
        told.append(Part(name, view[one.start : one.end], one.filename, kind))
    return Form(boundary, tuple(told))


def write_form(form: Form, values: Mapping[str, bytes]) -> bytes:
    """The form with these fields' values in place of its own, and with those that it has not.

    It has the boundary that it came with. ValueError where a value holds that.
    """
    mark = b"--" + form.boundary
    if any(mark in value for value in values.values()):
        raise ValueError("a field's value holds the boundary of its form")
    out: list[bytes | memoryview] = []
    missing = dict(values)
    for part in form.parts:
        value: bytes | memoryview = part.content
        if part.filename is None and part.name in values:
            value = missing.pop(part.name, values[part.name])
        out += (mark, b"\r\n", _head(part), value, b"\r\n")
    for name, value in missing.items():
        out += (mark, b"\r\n", _head(Part(name, memoryview(value))), value, b"\r\n")
    out += (mark, b"--\r\n")
    return b"".join(out)


def content_type(form: Form) -> bytes:
    return b'multipart/form-data; boundary="%b"' % form.boundary


def _head(part: Part) -> bytes:
    head = f'content-disposition: form-data; name="{_quoted(part.name)}"'
    if part.filename is not None:
        head += f'; filename="{_quoted(part.filename)}"'
    if part.content_type is not None:
        head += f"\r\ncontent-type: {part.content_type}"
    return head.encode() + b"\r\n\r\n"


def _quoted(text: str) -> str:
    """What could end the quoted name, or be an escape in it, is percent-encoded."""
    return text.replace('"', "%22").replace("\\", "%5C")
