"""Forms: what any client library writes is read, and what two parsers could read differently is
not."""

import email
import email.policy
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.metered import Form
from tidegate.text.form import (
    MAX_FIELD_BYTES,
    FormProblem,
    content_type,
    read_form,
    write_form,
)
from tidegate.text.multipart import MAX_PARTS

TYPE = b"multipart/form-data; boundary=xx"
FIELD = b'--xx\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n'
FILE = (
    b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n\x00\r\n--x\r\n\r\n"
)
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1)
NAMES = NAMES.filter(lambda name: len(name) < 100 and name.isprintable())


def told(form: Form) -> list[tuple[Any, ...]]:
    return [(p.name, bytes(p.content), p.filename, p.content_type) for p in form.parts]


def problem(body: bytes, kind: bytes = TYPE) -> str:
    with pytest.raises(FormProblem) as raised:
        read_form(kind, body)
    return str(raised.value)


def test_a_form_is_read() -> None:
    form = read_form(TYPE, FIELD + FILE + b"--xx--\r\n")
    assert told(form) == [
        ("model", b"m", None, None),
        ("file", b"\x00\r\n--x\r\n", "a.wav", "audio/wav"),
    ]
    assert told(read_form(TYPE, FIELD + b"--xx--")) == [("model", b"m", None, None)]
    assert read_form(TYPE, FIELD.replace(b"m\r\n", b"\r\n") + b"--xx--").parts[0].content == b""


@given(
    fields=st.dictionaries(NAMES, st.text(max_size=40), max_size=4),
    files=st.lists(st.tuples(NAMES, st.binary(max_size=200)), max_size=3),
)
def test_what_a_client_library_writes_is_read(
    fields: dict[str, str], files: list[tuple[str, bytes]]
) -> None:
    given_files = [("file[]", (name, data, "audio/wav")) for name, data in files]
    given_files = given_files or [("none[]", ("none", b"", "audio/wav"))]
    request = httpx2.Request("POST", "http://h/", data=fields, files=given_files)
    form = read_form(request.headers["content-type"].encode(), request.read())
    plain = {p.name: bytes(p.content).decode() for p in form.parts if p.filename is None}
    if not any(sign in "".join(fields) for sign in '"\\%'):
        assert plain == fields
    if files:
        assert [bytes(p.content) for p in form.parts if p.filename] == [data for _, data in files]


@given(
    parts=st.lists(st.tuples(NAMES, st.binary(max_size=60), NAMES | st.none()), max_size=5),
    model=st.text(st.characters(categories=("L", "N")), max_size=20),
)
def test_what_is_written_says_the_same_and_the_model_alone_is_another(
    parts: list[tuple[str, bytes, str | None]], model: str
) -> None:
    body = b'--xx\r\ncontent-disposition: form-data; name="model"\r\n\r\nold\r\n'
    for name, data, filename in parts:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        body += b'--xx\r\ncontent-disposition: form-data; name="' + quoted.encode() + b'"'
        if filename is not None:
            quoted = filename.replace("\\", "\\\\").replace('"', '\\"')
            body += b'; filename="' + quoted.encode() + b'"'
        body += b"\r\n\r\n" + data + b"\r\n"
    body += b"--xx--\r\n"
    try:
        form = read_form(TYPE, body)
    except FormProblem:
        names = [name for name, *_ in parts]
        twice = len({*names, "model"}) <= len(names)
        assert twice or any(b"--xx" in data for _, data, _ in parts)
        return
    written = write_form(form, {"model": model.encode()})
    again = told(read_form(content_type(form), written))
    assert [(name, data) for name, data, *_ in again[1:]] == [
        (name.replace('"', "%22").replace("\\", "%5C"), data) for name, data, *_ in told(form)[1:]
    ]
    assert again[0] == ("model", model.encode(), None, None)


def test_another_parser_reads_the_same_of_what_is_written() -> None:
    form = read_form(TYPE, FIELD + FILE + b"--xx--\r\n")
    body = write_form(form, {"model": b"theirs", "more": b"1"})
    head = b"content-type: " + content_type(form) + b"\r\n\r\n"
    whole = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    parts = list(whole.iter_parts())  # type: ignore[attr-defined]
    names = [part.get_param("name", header="content-disposition") for part in parts]
    assert names == ["model", "file", "more"]
    assert parts[0].get_payload(decode=True) == b"theirs"


@pytest.mark.parametrize(
    "kind",
    [
        b"",
        b"application/json",
        b"multipart/form-data",
        b"multipart/mixed; boundary=xx",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary="x x "',
        b"multipart/form-data; boundary=" + b"x" * 71,
        b"multipart/form-data; boundary=x\r\ny",
        b"multipart/form-data; boundary=a; boundary=b",
        b'multipart/form-data; boundary="a\x00b"',
    ],
)
def test_a_type_without_a_plain_boundary_is_refused(kind: bytes) -> None:
    assert problem(FIELD + b"--xx--\r\n", kind)


HOSTILE = {
    "nothing": b"",
    "no_end": FIELD,
    "preamble": b"hello\r\n" + FIELD + b"--xx--\r\n",
    "epilogue": FIELD + b"--xx--\r\nGET /",
    "boundary_inside": FIELD.replace(b"m\r\n", b"m\r\n--xxy\r\n") + b"--xx--\r\n",
    "no_name": b"--xx\r\nContent-Disposition: form-data\r\n\r\nm\r\n--xx--\r\n",
    "empty_name": FIELD.replace(b"model", b"") + b"--xx--\r\n",
    "two_names": FIELD.replace(b'"model"', b'"model"; name="n"') + b"--xx--\r\n",
    "twice": FIELD.replace(b"\r\n\r\n", b'\r\nContent-Disposition: form-data; name="n"\r\n\r\n', 1)
    + b"--xx--\r\n",
    "folded": FIELD.replace(b'; name="model"', b';\r\n name="model"') + b"--xx--\r\n",
    "control": FIELD.replace(b"model", b"mo\x00del") + b"--xx--\r\n",
    "line_feed": FIELD.replace(b"model", b"mo\ndel") + b"--xx--\r\n",
    "not_utf8": FIELD.replace(b"model", b"mo\xff") + b"--xx--\r\n",
    "base64": FIELD.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1)
    + b"--xx--\r\n",
    "no_header": FIELD.replace(b"\r\n\r\n", b"\r\nSet Cookie\r\n\r\n", 1) + b"--xx--\r\n",
    "a_field_twice": FIELD * 2 + b"--xx--\r\n",
    "long_head": FIELD.replace(b"model", b"m" * 5000) + b"--xx--\r\n",
    "long_field": FIELD.replace(b"m\r\n", b"m" * (MAX_FIELD_BYTES + 1) + b"\r\n") + b"--xx--\r\n",
    "many": FIELD.replace(b"model", b"m[]") * (MAX_PARTS + 1) + b"--xx--\r\n",
    "bare_line_feeds": (FIELD + b"--xx--\r\n").replace(b"\r\n", b"\n"),
    "a_type_that_is_none": FILE.replace(b"audio/wav", b"audio/wav, text/html") + b"--xx--\r\n",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_can_be_read_in_two_ways_is_refused(name: str) -> None:
    assert problem(HOSTILE[name])


@given(st.binary(max_size=300), st.integers(0, 200))
def test_nothing_else_is_raised_whatever_comes(noise: bytes, at: int) -> None:
    good = FIELD + FILE + b"--xx--\r\n"
    for body in (noise, good[:at] + noise + good[at:], good[:at]):
        try:
            read_form(TYPE, body)
        except FormProblem:
            continue


def test_a_filename_that_would_write_a_header_is_harmless() -> None:
    body = FILE.replace(b'"a.wav"', b'"a\\"; x=\\"b.wav"') + b"--xx--\r\n"
    form = read_form(TYPE, body)
    assert form.parts[0].filename == 'a"; x="b.wav'
    assert b'filename="a%22; x=%22b.wav"\r\n' in write_form(form, {})
    assert problem(FILE.replace(b"a.wav", b"a\rb.wav") + b"--xx--\r\n")


def test_a_value_may_not_hold_the_boundary() -> None:
    form = read_form(TYPE, FIELD + b"--xx--\r\n")
    with pytest.raises(ValueError, match="boundary"):
        write_form(form, {"model": b"a\r\n--xx--"})
