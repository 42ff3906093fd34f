"""Bodies are read strictly, and what nobody knows is set aside by its path."""

import msgspec
import pytest
from msgspec import Raw, Struct

from tidegate.core.outcome import Refusal
from tidegate.dialects._members import MAX_READ_AGAIN_BYTES, MAX_UNKNOWN, read, unknown


class One(Struct, forbid_unknown_fields=True, tag_field="type", tag="one"):
    text: str


class Two(Struct, forbid_unknown_fields=True, tag_field="type", tag="two"):
    url: str


class Body(Struct):
    parts: list[One | Two] = []
    n: int = 1


decode = msgspec.json.Decoder(Body).decode


def test_what_no_struct_knows_is_set_aside_by_its_path() -> None:
    unread: dict[str, Raw] = {}
    body = b'{"parts":[{"type":"one","text":"a","x":1.50},{"type":"three","y":[1e3]}],"n":2}'
    assert read(decode, body, unread) == Body([One("a")], 2)
    assert {name: bytes(raw) for name, raw in unread.items()} == {
        "parts[0].x": b"1.50",
        "parts[1]": b'{"type":"three","y":[1e3]}',
    }


def test_what_asks_for_nothing_is_not_set_aside() -> None:
    unread: dict[str, Raw] = {}
    read(decode, b'{"parts":[{"type":"one","text":"a","x":null,"y":[],"z":false}]}', unread)
    assert unread == {}
    members = {"n": Raw(b"1"), "x": Raw(b"null"), "y": Raw(b"0"), "z": Raw(b"1")}
    assert {name: bytes(raw) for name, raw in unknown(members, {"n"}).items()} == {"z": b"1"}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b'{"parts":[{"type":"one"}]}', "missing_parameter", "parts[0].text"),
        (b'{"parts":[{"text":"a"}]}', "missing_parameter", "parts[0].type"),
        (b'{"parts":5}', "invalid_parameter", "parts"),
        (b'{"n":"x"}', "invalid_parameter", "n"),
        (b'{"parts":[{"type":"one","text":7}]}', "invalid_parameter", "parts[0].text"),
        (b'{"parts":[{"type":7,"text":"a"}]}', "invalid_parameter", "parts[0].type"),
        (b'{"parts":[{"type":"one","text":"a","a.b[0]":1}]}', "invalid_parameter", None),
        (b'{"parts":[{"type":"one","text":"a","":1}]}', "invalid_parameter", None),
        (b'{"parts":' + b"[" * 5000, "invalid_parameter", None),
        (b"nonsense", "invalid_parameter", "body"),
    ],
)
def test_what_is_wrong_is_named(body: bytes, code: str, param: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        read(decode, body, {})
    no = refused.value
    assert no.code.name == code
    assert no.param is not None and (param is None or no.param == param)
    assert len(no.message) <= 500 and len(no.param) <= 200


def unknown_members(count: int, text: bytes = b"a") -> bytes:
    members = ",".join(f'"m{at}":1' for at in range(count))
    return b'{"parts":[{"type":"one","text":"%b",%b}]}' % (text, members.encode())


def test_a_body_of_nothing_but_unknown_members_is_refused() -> None:
    unread: dict[str, Raw] = {}
    assert read(decode, unknown_members(MAX_UNKNOWN), unread).parts == [One("a")]
    assert len(unread) == MAX_UNKNOWN
    with pytest.raises(Refusal, match="unknown field"):
        read(decode, unknown_members(MAX_UNKNOWN + 1), {})


def test_a_long_body_is_not_read_again_and_again() -> None:
    text = b"a" * (MAX_READ_AGAIN_BYTES // 3)
    assert read(decode, unknown_members(2, text), {})
    with pytest.raises(Refusal, match="unknown field"):
        read(decode, unknown_members(3, text), {})
