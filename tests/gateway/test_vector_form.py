"""One vector in two forms: no number changes but by what 32 bits can hold."""

import base64
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from tidegate.core.cache import MOST_VECTOR_BYTES
from tidegate.gateway.vector_form import given, is_packed, length, length_of, to_keep

singles = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1)
doubles = st.lists(st.floats(-1e30, 1e30), min_size=1)


def in_base64(numbers: list[float]) -> bytes:
    packed = struct.pack(f"<{len(numbers)}f", *numbers)
    return b'"' + base64.b64encode(packed) + b'"'


@drawn(singles)
def test_numbers_of_32_bits_are_the_same_in_either_form(numbers: list[float]) -> None:
    as_list, as_text = msgspec.json.encode(numbers), in_base64(numbers)
    for row in (as_list, as_text):
        kept = to_keep(row)
        if not any(numbers):
            assert kept is None
            continue
        assert kept is not None
        assert length(kept) == length_of(row) == len(numbers)
        assert msgspec.json.decode(given(kept, packed=False)) == numbers
        assert given(kept, packed=True) == as_text


@drawn(doubles)
def test_a_list_is_kept_as_it_came(numbers: list[float]) -> None:
    row = msgspec.json.encode(numbers)
    kept = to_keep(row)
    if kept is not None:
        assert given(kept, packed=False) == row
        assert given(kept, packed=True) == in_base64(numbers)


def test_digits_are_the_provider_s_own() -> None:
    row = b"[0.10, 1e-3,-2]"
    kept = to_keep(row)
    assert kept is not None
    assert given(kept, packed=False) == row


@pytest.mark.parametrize(
    "row",
    [
        b"[]",
        b"[0.0, 0, -0.0]",
        b"[1e300]",
        b"[1, null]",
        b'["1"]',
        b"[[1.0]]",
        b"[1",
        b"null",
        b"{}",
        b'""',
        b'"AAA"',
        b'"!AAAgD8="',
        in_base64([0.0]),
        in_base64([float("nan")]),
        in_base64([1.0, float("inf")]),
        in_base64([float("inf"), float("-inf")]),
        msgspec.json.encode([0.123456789] * (MOST_VECTOR_BYTES // 11)),
    ],
    ids=range(17),
)
def test_what_is_no_vector_is_not_kept(row: bytes) -> None:
    assert to_keep(row) is None


@pytest.mark.parametrize("kept", [b"", b"f", b"fabc", b"xabcd", b"l\x01", b"[1.0]"])
def test_what_is_damaged_has_no_length(kept: bytes) -> None:
    assert length(kept) is None


@pytest.mark.parametrize("row", [b"null", b"{}", b'"AAA"', b'"AAAA"', b'"AAAAAA=="x'])
def test_nor_has_a_row_that_is_none(row: bytes) -> None:
    assert length_of(row) is None


@pytest.mark.parametrize(("row", "found"), [(b'"AAAA"', True), (b"[1]", False)])
def test_forms_are_told_apart(row: bytes, found: Any) -> None:
    assert is_packed(row) is found
