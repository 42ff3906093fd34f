import msgspec
import pytest

from tidegate.text.json_schema import (
    MAX_PATH_CHARS,
    MAX_SCHEMA_BYTES,
    Regex,
    Schema,
    SchemaProblem,
    Violation,
    plug,
)


def schema(**keywords: object) -> Schema:
    return Schema(msgspec.json.encode(keywords))


TOTAL = schema(
    type="object",
    required=["total"],
    properties={"total": {"type": "number"}, "lines": {"items": {"maxLength": 3}}},
)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"total": 1}, None),
        ({}, Violation("", "required")),
        ([], Violation("", "type")),
        ({"total": "1"}, Violation("/total", "type")),
        ({"total": 1, "lines": ["abc", "abcd"]}, Violation("/lines/1", "maxLength")),
    ],
)
def test_a_violation_is_told_by_its_place_and_its_rule(value, found):
    assert TOTAL.violation(value) == found


def test_a_path_is_a_json_pointer_that_is_bounded_and_shows_no_secret():
    strings = schema(additionalProperties={"type": "integer"})
    assert strings.violation({"a/b~c": "x"}) == Violation("/a~1b~0c", "type")
    found = strings.violation({"k" * 1000: "x"})
    assert found is not None
    assert len(found.path) == MAX_PATH_CHARS
    found = strings.violation({"sk-live_1234567890abcdef": "x"})
    assert found == Violation("/[redacted]", "type")
    assert strings.violation({"\x1b[2J": "x"}) == Violation("/ [2J", "type")


def test_older_drafts_are_read_as_they_say():
    old = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "null"}]}
    assert Schema(msgspec.json.encode(old)).violation([1]) == Violation("/0", "type")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", "not JSON"),
        (b"[]", "must be a mapping"),
        (b'{"type": "strin"}', "strin"),
        (b'{"pattern": "(?=a)"}', "look-around"),
        (b'{"pattern": "((a{100}){100}){100}"}', "regex"),
        (b'{"$ref": "http://127.0.0.1/x"}', "a place in this schema"),
        (b'{"$schema": "http://127.0.0.1/x"}', "meta-schema"),
        (b'{"$id": "http://127.0.0.1/x", "$ref": "y"}', "a place in this schema"),
        (b'{"description": "' + b"x" * MAX_SCHEMA_BYTES + b'"}', "longer than"),
        (b'{"not":' * 5000 + b"{}" + b"}" * 5000, "not JSON|deep"),
    ],
)
def test_what_is_no_schema_is_refused_in_words(text, why):
    with pytest.raises(SchemaProblem, match=why):
        Schema(text)
    assert plug.wrong_schema(text.decode()) is not None


def test_a_pattern_is_looked_for_anywhere_in_linear_time():
    assert Regex("[0-9]{4}").found_in("in 2026")
    assert not Regex("^[0-9]{4}$").found_in("in 2026")
    assert not Regex("(a+)+$").found_in("a" * 200_000 + "b")  # minutes to whoever backtracks


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?<=a)b", "((a{100}){100}){100}"])
def test_what_is_no_such_pattern_is_refused(pattern):
    with pytest.raises(SchemaProblem):
        Regex(pattern)
    assert plug.wrong_regex(pattern) is not None


def test_what_is_right_has_nothing_wrong():
    assert plug.wrong_schema("{}") is None
    assert plug.wrong_regex("^a$") is None
