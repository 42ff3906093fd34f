from typing import Any

import msgspec
import pytest
from msgspec import Raw

from tidegate.core.ask import Answer, Ask, Said
from tidegate.core.outcome import Failure
from tidegate.core.plan import Contract
from tidegate.core.spoken import FINISH_REASONS
from tidegate.gateway import contract
from tidegate.gateway.contract import (
    MAX_CALLS,
    Following,
    PreparedContract,
    Verdict,
    is_refused,
    is_truncated,
    judge_answer,
)
from tidegate.providers import _anthropic_wire, _bedrock_answer, _gemini_wire, _openai_wire

SCHEMA = '{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}'
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "number"}},
        },
    },
}


def following(stream: bool = True, **fields: Any) -> Following:
    members = {"tools": Raw(msgspec.json.encode([TOOL]))}
    ask = Ask("chat", b"", members, "m", stream=stream)
    return PreparedContract(Contract(**fields)).follow(ask)


def with_tools(**fields: Any) -> Following:
    return following(tools=True, **fields)


def ended(it: Following, *, truncated=False, called=False, ended_twice=False) -> Verdict | None:
    failure = it.end(truncated=truncated, called=called, ended_twice=ended_twice)
    assert failure is None
    return it.verdict


def test_an_answer_that_fits_is_valid():
    it = following(json_schema=SCHEMA, regex="[0-9]")
    for part in ('{"n"', ": 4", "2}"):
        assert it.content(0, part) is None
    assert it.verdict is None
    assert ended(it) == Verdict("valid")


@pytest.mark.parametrize(
    ("fields", "parts", "found"),
    [
        ({"json": True}, ["Sure: {}"], Verdict("malformed", at_bytes=0, seen_bytes=0)),
        ({"json": True}, ['{"a":', "é,}"], Verdict("malformed", at_bytes=5, seen_bytes=5)),
        ({"json": True}, ['{"a":'], Verdict("malformed", at_bytes=5, seen_bytes=5)),
        (
            {"json_schema": SCHEMA},
            ['{"n": "é"}'],
            Verdict("schema_violation", path="/n", rule="type", seen_bytes=11),
        ),
        (
            {"json_schema": SCHEMA},
            ["{}"],
            Verdict("schema_violation", path="", rule="required", seen_bytes=2),
        ),
        ({"json_schema": "{}"}, ["1" * 400 + "e999"], Verdict("malformed", seen_bytes=404)),
        (
            {"regex": "^[a-z]+$"},
            ["ab", "C"],
            Verdict("schema_violation", path="", rule="pattern", seen_bytes=3),
        ),
        (
            {"max_chars": 3},
            ["éé", "éé", "more"],
            Verdict("schema_violation", path="", rule="maxLength", seen_bytes=4),
        ),
        ({"json": True}, [], Verdict("empty", seen_bytes=0)),
    ],
)
def test_what_breaks_a_contract_is_found_where_it_is(fields, parts, found):
    it = following(**fields)
    for part in parts:
        assert it.content(0, part) is None  # only marked
    assert ended(it) == found


def test_every_choice_is_judged():
    it = following(json=True)
    it.content(0, "{}")
    it.content(1, "[")
    assert ended(it) == Verdict("malformed", at_bytes=1, seen_bytes=3)


def test_a_cut_answer_is_truncated_and_not_malformed():
    it = following(json=True)
    it.content(0, '{"a"')
    assert ended(it, truncated=True) == Verdict("truncated", seen_bytes=4)
    late = following(json=True)
    late.content(0, "no")
    assert ended(late, truncated=True) == Verdict("malformed", at_bytes=1, seen_bytes=0)


def test_a_second_end_is_told_of_an_answer_that_fits():
    it = following(json=True)
    it.content(0, "{}")
    assert ended(it, ended_twice=True) == Verdict("duplicate_terminator")
    strict = following(json=True, on_violation="fail")
    strict.content(0, "{}")
    assert ended(strict, ended_twice=True) == Verdict("duplicate_terminator"), "it fits"


def test_of_a_buffered_or_whole_answer_nobody_has_seen_anything():
    for it in (
        following(json=True, buffer=True),
        following(json=True, stream=False),
    ):
        it.content(0, "{")
        assert ended(it) == Verdict("malformed", at_bytes=1, seen_bytes=0)


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("add", ['{"a"', ": 1}"], Verdict("valid")),
        (
            "add",
            ['{"a": ', "x}"],
            Verdict("malformed", at_bytes=6, path="/tool_calls/0/arguments", seen_bytes=0),
        ),
        (
            "add",
            ['{"a"'],
            Verdict("malformed", at_bytes=4, path="/tool_calls/0/arguments", seen_bytes=0),
        ),
        (
            "add",
            ['{"a": "1"}'],
            Verdict(
                "schema_violation",
                path="/tool_calls/0/arguments/a",
                rule="type",
                seen_bytes=0,
            ),
        ),
        (
            "sub",
            ["{}"],
            Verdict("schema_violation", path="/tool_calls/0/name", rule="enum", seen_bytes=0),
        ),
    ],
)
def test_calls_of_tools_fit_the_tools_of_their_request(name, arguments, found):
    it = with_tools()
    it.called(0, 0, name, "")
    for part in arguments:
        assert it.called(0, 0, "", part) is None
    assert ended(it, called=True) == found


def test_an_answer_of_calls_alone_need_not_be_json():
    it = with_tools(json_schema=SCHEMA)
    it.called(0, 0, "add", '{"a": 1}')
    assert ended(it, called=True) == Verdict("valid")
    unasked = following(json=True)
    unasked.called(0, 0, "nobody", "[")
    assert ended(unasked, called=True) == Verdict("valid")


def test_a_strangers_schema_is_passed_over_where_it_would_take_too_long(
    monkeypatch: pytest.MonkeyPatch,
):
    arguments = '{"a": "1"}'
    for most, found in ((1000, "schema_violation"), (10, "valid")):
        monkeypatch.setattr(contract, "MAX_WORK", most)
        it = with_tools()
        it.called(0, 0, "add", arguments)
        verdict = ended(it, called=True)
        assert verdict is not None and verdict.validity == found


def test_calls_are_bounded():
    it = with_tools()
    for number in range(MAX_CALLS + 1):
        it.called(0, number, "add", '{"a": 1}')
    found = ended(it, called=True)
    assert found == Verdict("schema_violation", path="/tool_calls", rule="maxItems", seen_bytes=0)


def test_a_plan_that_says_fail_ends_the_answer_at_the_first_wrong_byte():
    it = following(json=True, on_violation="fail")
    assert it.content(0, '{"secret') is None
    failure = it.content(0, "\n")
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.code.name) == ("malformed", "upstream_invalid_answer")
    assert failure.message.endswith("malformed at byte 8")
    assert it.content(0, "more") is None


def test_a_plan_that_says_fail_ends_the_answer_that_does_not_fit_in_the_end():
    it = following(json_schema=SCHEMA, on_violation="fail")
    it.content(0, "{}")
    failure = it.end(truncated=False, called=False, ended_twice=False)
    assert failure is not None
    assert failure.message.endswith("schema violation (required)")
    fits = following(json_schema=SCHEMA, on_violation="fail")
    fits.content(0, '{"n": 1}')
    assert fits.end(truncated=False, called=False, ended_twice=False) is None


def test_a_whole_answer_is_judged_in_one_go():
    it = following(stream=False, json=True)
    judge_answer(it, Answer(None, "stop", None, None, b"", said=(Said("[1]"),)))
    assert it.verdict == Verdict("valid")
    it = following(stream=False, json=True)
    judge_answer(it, Answer(None, "length", None, None, b"", said=(Said("[1"),)))
    assert it.verdict == Verdict("truncated", seen_bytes=0)
    it = with_tools(on_violation="fail")
    with pytest.raises(Failure, match="enum"):
        judge_answer(
            it, Answer(None, "tool_calls", None, None, b"", said=(Said(calls=(("x", "{}"),)),))
        )


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_every_dialects_word_for_too_long_is_known(reason):
    assert is_truncated(reason)
    assert not is_truncated("stop")
    assert not is_truncated(None)


def test_every_provider_s_words_for_a_refusal_are_known():
    wires = (_openai_wire, _anthropic_wire, _bedrock_answer, _gemini_wire)
    words = {word for wire in wires for word, reason in wire.REASONS.items() if reason == "refusal"}
    assert all(is_refused(word) for word in words)
    assert is_refused(FINISH_REASONS["refusal"]) and not is_refused("stop")
