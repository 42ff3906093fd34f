"""Calls of tools for wires that are stricter than their callers': ids and arguments."""

import re

import pytest
from msgspec import Raw

from tidegate.core.conversation import Conversation, ToolCall
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure, Refusal
from tidegate.providers._calls import MAX_ID_CHARS, arguments_of, safe_id, text_of

LOSSES = Losses(Conversation([], names={"turns": "input"}), "theirs", drop=True)
UNSAFE = re.compile(r"[^a-z]")


def test_an_id_that_fits_stays() -> None:
    assert safe_id("a" * MAX_ID_CHARS, UNSAFE) == "a" * MAX_ID_CHARS


@pytest.mark.parametrize("call_id", ["", "a.b", "a/b", "a\n", "ä", "a" * (MAX_ID_CHARS + 1)])
def test_another_becomes_one_that_fits_and_is_its_own(call_id: str) -> None:
    safe = safe_id(call_id, UNSAFE)
    assert 0 < len(safe) <= MAX_ID_CHARS and re.fullmatch(r"[a-z_]*_[0-9a-f]{8}", safe)
    assert safe == safe_id(call_id, UNSAFE) != safe_id(call_id + "!", UNSAFE)


def test_arguments_are_the_text_that_came() -> None:
    assert bytes(arguments_of(ToolCall("c", "t", ' {"a": 1.50}\n'), LOSSES)) == b'{"a": 1.50}'
    assert bytes(arguments_of(ToolCall("c", "t", " "), LOSSES)) == b"{}"


@pytest.mark.parametrize("arguments", ["[1]", "null", '{"a":', '{"a":1} x', '{"a":"\ud800"}'])
def test_arguments_that_are_no_object_are_the_callers_to_mend(arguments: str) -> None:
    with pytest.raises(Refusal) as no:
        arguments_of(ToolCall("call_7", "t", arguments), LOSSES)
    assert (no.value.code.name, no.value.param) == ("invalid_parameter", "input")
    assert "'call_7'" in no.value.message


def test_a_model_s_arguments_are_text_or_malformed() -> None:
    assert text_of(Raw('{"a": "é"}'.encode())) == '{"a": "é"}'
    with pytest.raises(Failure) as failed:
        text_of(Raw(b'{"a":"\xff"}'))
    assert failed.value.kind == "malformed"
