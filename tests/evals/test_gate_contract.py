"""The candidate's output contract, answer by answer."""

import pytest
from msgspec.structs import replace
from tests.evals.asked import case, prompt

from tidegate.core.grading import Answered
from tidegate.core.prompt import Output
from tidegate.evals.finding import Finding
from tidegate.evals.gate_contract import contract_kept
from tidegate.evals.outcome import Outcome, Paired
from tidegate.evals.side import Side

SCHEMA = '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}'
TOOLS = '[{"type": "function", "function": {"name": "pay", "parameters": ' + SCHEMA + "}}]"
STRICT = Output(json_schema=SCHEMA, tools=True)
GOOD = Answered('{"n": 1}', finish_reason="stop")


def found(*answers: Answered, output: Output = STRICT) -> Finding | None:
    side = Side("small", prompt("v2", output=output, tools=TOOLS))
    outcomes = tuple(Outcome("a", n, "pass", it) for n, it in enumerate(answers))
    good = Paired(case("good"), (), (Outcome("good", 0, "pass", GOOD),))
    return next(iter(contract_kept(side, [good, Paired(case("a"), (), outcomes)])), None)


@pytest.mark.parametrize(
    ("answered", "why"),
    [
        (Answered('{"n": "x"}', finish_reason="stop"), "a (schema violation at /n, type)"),
        (Answered("Sure: {}", finish_reason="stop"), "malformed"),
        (Answered('{"n": 1', finish_reason="length"), "truncated"),
        (Answered("", finish_reason="stop"), "empty"),
        (Answered("", tool_calls=(("pay", '{"n": null}'),)), "/tool_calls/0/arguments/n"),
        (Answered("", tool_calls=(("steal", "{}"),)), "/tool_calls/0/name, enum"),
    ],
)
def test_one_answer_that_breaks_it_blocks_whatever_its_checks_say(
    answered: Answered, why: str
) -> None:
    it = found(GOOD, answered)
    assert it is not None
    assert it.verdict == "block"
    assert why in it.why
    assert "1 of 2 cases" in it.why


def test_answers_that_keep_it_pass() -> None:
    calls = Answered("", tool_calls=(("pay", '{"n": 2}'),), finish_reason="tool_calls")
    no = Answered("I cannot.", declined=True, refusal="full")
    it = found(GOOD, calls, no, Answered(None, failure="unreachable"))
    assert it is not None
    assert (it.verdict, it.why) == ("pass", "all 4 answers keep the output contract")


def test_length_and_pattern_are_held_too() -> None:
    short = Output(max_chars=3, regex="^[a-z]+$")
    for text, verdict in (("abc", "pass"), ("abcd", "block"), ("AB", "block")):
        it = found(Answered(text), output=short)
        assert it is not None
        # The other case answers JSON, which no such contract lets pass.
        assert it.verdict == "block"
        assert ("a (" in it.why) is (verdict == "block")


def test_without_a_contract_or_a_version_nothing_is_said() -> None:
    assert found(GOOD, output=Output()) is None
    assert not list(contract_kept(Side("small"), []))


def test_a_contract_that_cannot_be_read_is_no_pass() -> None:
    side = Side("small", replace(prompt("v2"), output=Output(json_schema='{"type": 3}')))
    [it] = contract_kept(side, [])
    assert it.verdict == "block"
