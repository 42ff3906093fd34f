"""Forms of any content come apart as they were put together; what is no form is told."""

import mmap
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.multipart import (
    MAX_HEAD_BYTES,
    MAX_PARTS,
    MultipartProblem,
    boundary_of,
    parts,
)

BOUNDARY = b"x-1"
CONTENTS = st.binary(max_size=60) | st.sampled_from([b"", b"\r\n", b"\r\n--", b"--x-1", b"\r\n--x"])
NAMES = st.text(st.sampled_from('abc_[] é"\\;='), min_size=1, max_size=8)
FIELD = b'content-disposition: form-data; name="a"\r\n\r\n'


def quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def form(fields: list[tuple[str, bytes]], boundary: bytes = BOUNDARY) -> bytes:
    body = b""
    for name, content in fields:
        head = f'Content-Disposition: form-data; name="{quoted(name)}"; filename="f.jsonl"\r\n'
        body += b"--" + boundary + b"\r\n" + head.encode() + b"\r\n" + content + b"\r\n"
    return body + b"--" + boundary + b"--\r\n"


@given(
    st.lists(st.tuples(NAMES, CONTENTS), min_size=1, max_size=4, unique_by=lambda field: field[0])
)
def test_a_form_comes_apart_as_it_was_put_together(fields):
    body = form(fields, b"x-1-no-content-has-this")
    found = parts(body, b"x-1-no-content-has-this")
    assert [(one.name, one.content(body), one.filename) for one in found] == [
        (name, content, "f.jsonl") for name, content in fields
    ]


@given(st.lists(st.tuples(st.just("a"), CONTENTS), min_size=1, max_size=1), st.data())
def test_any_damage_is_told_or_leaves_the_bounds_alone(fields, data):
    body = bytearray(form(fields))
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        body[at] = data.draw(st.integers(0, 255))
    else:
        del body[at:]
    try:
        found = parts(bytes(body), BOUNDARY)
    except MultipartProblem:
        return
    for one in found:
        assert 0 <= one.start <= one.end <= len(body)


def test_a_mapped_file_reads_as_its_bytes():
    body = form([("file", b"line\n" * 1000), ("purpose", b"batch")])
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert parts(mapped, BOUNDARY) == parts(body, BOUNDARY)
            assert parts(mapped, BOUNDARY)[0].content(mapped) == b"line\n" * 1000


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "does not begin"),
        (b"preamble\r\n" + form([("a", b"1")]), "does not begin"),
        (form([("a", b"1"), ("a", b"2")]), "comes twice"),
        (form([("a", b"--x-1\r\n" + FIELD + b"2")]), "begins with the boundary"),
        (form([("a", b"1\n--x-1\n" + FIELD + b"2")]), "begins with the boundary"),
        (form([("a", b"1\r--x-1\r" + FIELD + b"2")]), "begins with the boundary"),
        (form([("a", b"1")])[:-8], "ends before"),
        (form([("a", b"1")]) + b"more", "follows"),
        (form([("a", b"x\r\n--x-1 y")]), "middle of a line"),
        (form([(f"a{n}", b"") for n in range(MAX_PARTS + 1)]), "more than"),
        (form([("", b"")]), "each field needs"),
        (form([("a" * 300, b"")]), "at most 256"),
        (b"--x-1\r\n" + b"x" * MAX_HEAD_BYTES, "does not end within"),
        (b"--x-1\r\nx-y: 1\r\n" + FIELD[:-4] + b"; name=b\r\n\r\n\r\n--x-1--", "cannot be read"),
        (b"--x-1\r\n" + FIELD[:-2] + FIELD + b"\r\n--x-1--", "twice"),
        (b"--x-1\r\nno header\r\n" + FIELD + b"\r\n--x-1--", "no header"),
        (
            b"--x-1\r\ncontent-transfer-encoding: base64\r\n" + FIELD + b"\r\n--x-1--",
            "as they are",
        ),
        (b"--x-1\r\ncontent-type: \xff\r\n" + FIELD + b"\r\n--x-1--", "not UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_two_could_read_differently_is_no_form(body, why):
    with pytest.raises(MultipartProblem, match=why):
        parts(body, BOUNDARY)


def test_names_of_lists_may_come_again():
    found = parts(form([("a[]", b"1"), ("a[]", b"2")]), BOUNDARY)
    assert [one.name for one in found] == ["a[]", "a[]"]


def test_the_boundary_is_told_once_and_is_plain():
    assert boundary_of("multipart/form-data; boundary=abc") == b"abc"
    assert boundary_of('Multipart/Form-Data; charset=x; boundary="a b"') == b"a b"
    for wrong in (
        "application/json",
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        'multipart/form-data; boundary="a\r\nb"',
        f"multipart/form-data; boundary={'x' * 71}",
    ):
        with pytest.raises(MultipartProblem):
            boundary_of(wrong)


def test_what_is_written_anew_may_hold_its_old_boundary():
    body = form([("a", b"1\n--x-1\n" + FIELD + b"2")])
    with pytest.raises(MultipartProblem):
        list(parts(body, BOUNDARY))
    assert [it.name for it in parts(body, BOUNDARY, written_anew=True)] == ["a"]
