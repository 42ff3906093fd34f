"""Tokens in their compact form: one reading, or none."""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.jws import (
    MAX_TOKEN_BYTES,
    TokenProblem,
    looks_signed,
    read_signed,
    time_of,
)

HEAD = {"alg": "ES256", "kid": "one", "typ": "JWT"}


def piece(value: object) -> bytes:
    data = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return urlsafe_b64encode(data).rstrip(b"=")


def token(head: object = HEAD, body: object = None, signature: bytes = b"sig") -> bytes:
    return b".".join((piece(head), piece({} if body is None else body), piece(signature)))


def test_the_pieces_of_a_token() -> None:
    body = {"sub": "a", "nested": {"list": [1, {"x": None}]}}
    presented = token(body=body)
    assert looks_signed(presented)
    told = read_signed(presented)
    assert (told.algorithm, told.key_id, told.claims) == ("ES256", "one", body)
    assert (told.signed, told.signature) == (presented.rpartition(b".")[0], b"sig")
    assert read_signed(token({"alg": "none"})).key_id is None
    assert told.kind == "jwt"


@pytest.mark.parametrize(
    ("typ", "kind"),
    [
        *((None, ""), ("", ""), ("JWT", "jwt"), ("at+jwt", "at+jwt")),
        *(("application/AT+JWT", "at+jwt"), ("dpop+jwt", "dpop+jwt")),
    ],
)
def test_what_a_header_says_that_it_is(typ: str | None, kind: str) -> None:
    assert read_signed(token({"alg": "ES256", "typ": typ})).kind == kind
    assert read_signed(token({"alg": "ES256"})).kind == ""


@pytest.mark.parametrize(
    "presented",
    [
        token(b'{"alg":"ES256","alg":"none"}'),
        token(body=b'{"sub":"a","sub":"b"}'),
        token(body=b'{"a":{"sub":"a","sub":"b"}}'),
        token(body=b'{"a":[{"b":1,"\\u0062":2}]}'),
        token(body=b'{"a":"\\ud800"}'),
        token(body=b'{"a":1' + b"0" * 80 + b"}"),
        token(body=b'{"a":' + b"[" * 70 + b"]" * 70 + b"}"),
        token(body=b'\xef\xbb\xbf{"a":1}'),
        token(body=b'{"a":"\xff"}'),
        token(body=b"[]"),
        token(body=b"null"),
        token(body=b""),
        token(b"{}"),
        token({"alg": 7}),
        token({"alg": ["ES256"]}),
        token({**HEAD, "crit": ["b64"]}),
        token({**HEAD, "b64": False}),
        token({**HEAD, "kid": ""}),
        token({**HEAD, "kid": 7}),
        token({**HEAD, "kid": "x" * 257}),
        token(signature=b""),
        token() + b"=",
        token().replace(b".", b". ", 1),
        token() + b"\n",
        piece(HEAD) + b".e31." + piece(b"s"),  # `{}` with bits to spare
        piece(HEAD) + b".a." + piece(b"s"),
        token(body={"a": "x" * MAX_TOKEN_BYTES}),
        b"",
        b"..",
        b"eyJ..",
    ],
    ids=range(30),
)
def test_what_could_be_read_in_two_ways_is_no_token(presented: bytes) -> None:
    with pytest.raises(TokenProblem) as problem:
        read_signed(presented)
    assert "ES256" not in str(problem.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(presented: bytes) -> None:
    try:
        read_signed(presented)
    except TokenProblem:
        return
    assert looks_signed(presented) or presented.count(b".") >= 2


@given(st.data())
def test_there_is_one_text_of_a_token(data: st.DataObject) -> None:
    """Another character anywhere gives another token, or none: no two have the same bytes."""
    presented = token(body={"sub": "somebody"}, signature=bytes(64))
    at = data.draw(st.integers(0, len(presented) - 1))
    other = bytearray(presented)
    other[at] = data.draw(st.integers(0, 255).filter(lambda it: it != presented[at]))
    before = read_signed(presented)
    try:
        after = read_signed(bytes(other))
    except TokenProblem:
        return
    assert (after.signed, after.signature) != (before.signed, before.signature)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0.0), (1.5, 1.5), (2**31, 2.0**31)],
)
def test_a_time(value: Any, expected: float) -> None:
    assert time_of({"exp": value}, "exp") == expected
    assert time_of({}, "exp") is None


@pytest.mark.parametrize("value", [True, "5", None, -1, 1e12, [5]], ids=str)
def test_no_time(value: Any) -> None:
    with pytest.raises(TokenProblem):
        time_of({"exp": value}, "exp")
