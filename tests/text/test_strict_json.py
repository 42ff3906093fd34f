"""What a strict reader accepts and refuses, beside a slow and obvious one."""

import json
import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.cpu import cpu_s

from tidegate.text import strict_json
from tidegate.text.strict_json import (
    MAX_DEPTH,
    MAX_NUMBER_CHARS,
    JsonProblem,
    loses_members,
    read_object,
)

JUDGED = frozenset({"model", "stream", "n", "key"})
_STRING = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"'
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def obvious(body: bytes) -> list[str] | None:
    """The names at the top, in order, or None for what must be refused. Slow, and stdlib's."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    outside = re.sub(_STRING, "", text)
    if re.search(r"[0-9.eE+-]{65}", outside):
        return None
    try:
        pairs = json.loads(text, object_pairs_hook=list, parse_constant=_refuse)
        json.dumps(pairs, ensure_ascii=False).encode()  # a lone surrogate has no UTF-8
    except (ValueError, RecursionError):
        return None
    if not text.lstrip(" \t\r\n").startswith("{") or depth(outside) > MAX_DEPTH:
        return None
    names = [name for name, _ in pairs]
    strange = any(name not in JUDGED and name.casefold() in JUDGED for name in names)
    return None if strange or len(set(names)) < len(names) else names


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def depth(outside: str) -> int:
    deepest = level = 0
    for character in outside:
        level += (character in "[{") - (character in "]}")
        deepest = max(deepest, level)
    return deepest


def read(body: bytes) -> list[str] | None:
    try:
        return list(read_object(body, JUDGED))
    except JsonProblem as problem:
        assert str(problem)
        return None


class Pairs(list[tuple[str, object]]):
    """An object's members; a name may come twice."""


NAMES = st.sampled_from(["model", "Model", "stream", "n", "N", "x", "", "\b\f\x01", 'a"b', "\\"])
NAMES |= st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(st.tuples(NAMES, inner), max_size=4).map(Pairs)
    ),
    max_leaves=12,
)


def written(value: object, draw: st.DataObject) -> str:
    """JSON of `value`, with the freedoms that JSON has."""
    space = draw.draw(st.sampled_from(["", "", "", " ", "\n\t"]))
    if isinstance(value, Pairs):
        members = (f"{written(n, draw)}{space}:{written(v, draw)}" for n, v in value)
        return "{" + space + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(v, draw) for v in value) + space + "]"
    if isinstance(value, str) and draw.draw(st.booleans()):
        return '"' + "".join(f"\\u{ord(c) & 0xFFFF:04x}" for c in value) + '"'
    return json.dumps(value, ensure_ascii=draw.draw(st.booleans()))


@given(st.data(), st.lists(st.tuples(NAMES, VALUES), max_size=5).map(Pairs))
def test_it_agrees_with_the_obvious_reader(data: st.DataObject, pairs: Pairs) -> None:
    body = written(pairs, data).encode("utf-8", "surrogatepass")
    assert read(body) == obvious(body), body


@given(st.data(), st.lists(st.tuples(NAMES, VALUES), max_size=3).map(Pairs))
def test_it_agrees_on_what_is_broken(data: st.DataObject, pairs: Pairs) -> None:
    body = bytearray(written(pairs, data).encode("utf-8", "surrogatepass"))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        junk = st.sampled_from([b'"', b"\\", b"{", b"]", b",", b":", b"\\ud800", b"\xff", b"NaN"])
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(junk | st.binary(max_size=2))
    assert read(bytes(body)) == obvious(bytes(body)), bytes(body)


@given(st.binary(max_size=30))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b"\xff\xfe{\x00}\x00")
@example(b'{"a":1}\x00')
def test_any_bytes_are_an_object_or_a_problem(body: bytes) -> None:
    assert read(body) == obvious(body)


def test_the_time_to_say_what_came_twice_is_bounded() -> None:
    many = b",".join(b'"k%d":1' % number for number in range(50_000))

    def refused() -> None:
        with pytest.raises(JsonProblem, match="twice"):
            read_object(b'{"a":1,%b,"\\u0061":2}' % many, JUDGED)

    assert cpu_s(refused) < 2  # each name looked for in all of it: half a minute


def test_numbers_that_are_nearly_too_long_take_no_time() -> None:
    body = b'{"a":[%b]}' % b",".join([b"[" + b"1" * MAX_NUMBER_CHARS + b"]"] * 200_000)
    assert list(read_object(body, JUDGED)) == ["a"]
    assert cpu_s(lambda: read_object(body, JUDGED)) < 0.3  # from each digit anew: 0.7


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"[]", "must be a JSON object"),
        (b"1", "must be a JSON object"),
        (b"{} {}", "not JSON"),
        (b'{"a":NaN}', "not JSON"),
        (b'{"a":Infinity}', "not JSON"),
        (b'{"a":-Infinity}', "not JSON"),
        (b'{"a":01}', "not JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a":"ä"}'.encode("utf-16"), "UTF-16"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":"\xc0\xaf"}', "not UTF-8"),
        (b'{"a":"\\ud83d"}', "half a surrogate pair"),
        (b'{"a":"\\uDE00\\uD83D"}', "half a surrogate pair"),
        (b'{"a":' + b"1" * 65 + b"}", "more than 64 characters"),
        (b'{"a":1e' + b"9" * 100_000 + b"}", "more than 64 characters"),
        (b'{"model":1,"model":2}', "twice"),
        (b'{"model":1,"mode\\u006c":2}', "twice"),
        (b'{"a":{"b":1},"a":{"b":1}}', "twice"),
        (b'{"Model":1}', "must be written 'model'"),
        (b'{"\\u004dodel":1}', "must be written 'model'"),
        ('{"\u212aey":1}'.encode(), "must be written 'key'"),
        ('{"\u017ftream":1}'.encode(), "must be written 'stream'"),
        (b'{"model":1,"MODEL":2}', "must be written 'model'"),
    ],
)
def test_what_two_readers_could_differ_on_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(JsonProblem, match=message):
        read_object(body, JUDGED)


def nested(levels: int, opening: bytes, closing: bytes) -> bytes:
    return b'{"a":' + opening * levels + b"1" + closing * levels + b"}"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b" [ ", b" ]")])
def test_64_levels_are_read_and_65_are_not(opening: bytes, closing: bytes) -> None:
    assert read(nested(MAX_DEPTH - 1, opening, closing)) == ["a"]
    with pytest.raises(JsonProblem, match="deeper than 64"):
        read_object(nested(MAX_DEPTH, opening, closing), JUDGED)
    with pytest.raises(JsonProblem, match="deeper than 64"):
        read_object(nested(100_000, opening, closing), JUDGED)


def test_brackets_and_digits_inside_strings_do_not_count() -> None:
    inside = b'{"a":"' + b"[{" * 1000 + b"1" * 1000 + b'\\""}'
    assert read(inside) == ["a"]


def test_values_stay_the_bytes_that_came() -> None:
    body = b'{ "a" : 1.50e+02 , "b":{"c": [1, 2]}, "d":0.10000000000000000001 }'
    members = read_object(body, JUDGED)
    assert [bytes(raw) for raw in members.values()] == [
        b"1.50e+02",
        b'{"c": [1, 2]}',
        b"0.10000000000000000001",
    ]


def test_strings_and_structure_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_json, "MAX_STRINGS", 200)
    monkeypatch.setattr(strict_json, "MAX_STRUCTURE_CHARS", 400)
    strings = b'{"a":[' + b'"",' * 300 + b'1], "b":' + b"[" * 80 + b"]" * 80 + b"}"
    with pytest.raises(JsonProblem, match="more than 200 strings"):
        read_object(strings, JUDGED)
    with pytest.raises(JsonProblem, match="too many values"):
        read_object(b'{"a":[' + b"[]," * 300 + b"1]}", JUDGED)


@pytest.mark.parametrize("pair", ['"n": 1', '"n": [1, {"n": 2}]', '"a\\"b": "c, \\"n\\": 3"'])
def test_what_pythons_json_writes_needs_no_closer_look(
    pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bytes] = []
    close = strict_json._check_twice

    def look(body: bytes, members: dict[str, msgspec.Raw]) -> None:
        looked.append(body)
        close(body, members)

    monkeypatch.setattr(strict_json, "_check_twice", look)
    once = b'{"model": "m", %b, "stream": true}' % pair.encode()
    assert read(once) == obvious(once) is not None
    assert bool(looked) == ("\\" in pair.partition(":")[0])
    for twice in (once.replace(b"}", b', "model": "m"}'), once.replace(b"{", b'{"stream": 1, ', 1)):
        assert obvious(twice) is None or twice.count(b'"model"') == 1
        assert read(twice) == obvious(twice)


@pytest.mark.parametrize(
    ("body", "loses"),
    [
        (b'{"a":1,"b":{"c":[{"d":"\\":,{"}]}}', False),
        (b'[{"a":1},{"a":1}]', False),
        (b'"a:b"', False),
        (b'{"a":1,"a":1}', True),
        (b'{"a":[{"b":1,"\\u0062":2}]}', True),
    ],
)
def test_a_member_that_came_twice_is_missed_at_any_depth(body: bytes, *, loses: bool) -> None:
    assert loses_members(body, msgspec.json.decode(body)) is loses


def test_what_is_too_large_to_be_looked_at_may_lose_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strict_json, "MAX_STRINGS", 1)
    assert loses_members(b'{"a":"b"}', {"a": "b"})
