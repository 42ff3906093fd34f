"""Captured questions as parts."""

import pytest

from tidegate.prompts.questions import parts_of
from tidegate.prompts.unstable import Part


def test_tools_stand_before_the_messages() -> None:
    told = '[{"role":"system","content":"be brief"},{"role":"user","content":null}]'
    assert parts_of(told, "[]") == [
        Part("tools", "[]"),
        Part("system", "be brief"),
        Part("user", ""),
    ]


def test_what_is_no_text_is_told_as_json() -> None:
    told = (
        '[{"role":"user","content":["a",{"type":"text","text":"b"},{"type":"image"}]},'
        '{"type":"function_call","name":"f"},{"role":"tool","content":{"x":1}},7]'
    )
    assert parts_of(told) == [
        Part("user", '"a"\nb\n{"type":"image"}'),
        Part("function_call", '{"type":"function_call","name":"f"}'),
        Part("tool", '{"x":1}'),
    ]


@pytest.mark.parametrize("told", ["", "[", "{" * 5000])
def test_what_cannot_be_read_is_said(told: str) -> None:
    with pytest.raises(ValueError, match="no list of messages"):
        parts_of(told)


def test_no_list_has_no_parts() -> None:
    assert parts_of('{"role":"user"}') == []
