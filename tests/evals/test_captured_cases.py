"""Captured requests become cases that a suite reads as they are."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stores.said import captured

from tidegate.core.grading import Case
from tidegate.evals.captured_cases import NoCase, case_line
from tidegate.evals.load import load_suites

SUITE = "name: said\ncases_from: [said.jsonl]\n"
DEFAULTS = "defaults: {checks: [{length: {most_words: 500}}]}\n"


def asked(*messages: Any, **fields: Any) -> Any:
    return captured(messages=msgspec.json.encode(messages).decode(), **fields)


def read(folder: Path, lines: bytes, suite: str = SUITE + DEFAULTS) -> tuple[Case, ...]:
    (folder / "said.yaml").write_text(suite)
    (folder / "said.jsonl").write_bytes(lines)
    loaded = load_suites(folder / "said.yaml")
    assert not loaded.problems, [str(it) for it in loaded.problems]
    return loaded.suites[0].cases


def test_a_suite_reads_them(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    made = asked(
        {"role": "system", "content": "be calm"},
        {"role": "user", "content": parts},
        answer="12 days",
        model="m",
        prompt_version="v3",
    )
    [case] = read(tmp_path, case_line(made, expected=True))
    assert case.id == made.receipt_id
    assert case.turns == (("system", "be calm"), ("user", "a\nb"))
    assert case.expected is not None and msgspec.json.decode(case.expected) == "12 days"
    assert case.strata == {"route": "chat", "model": "m", "prompt_version": "v3"}
    [bare] = read(tmp_path, case_line(made, checks=("refusal",)), SUITE)
    assert bare.expected is None
    assert [check.grader for check in bare.checks] == ["refusal"]


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (asked(), "asks nothing"),
        (asked({"role": "tool", "content": "x"}), "no turn of a case"),
        (asked({"role": "assistant", "content": None, "tool_calls": [{}]}), "calls of tools"),
        (asked({"role": "user", "content": [{"type": "image_url"}]}), "no text"),
        (asked({"role": "user"}), "without text"),
    ],
)
def test_what_no_case_can_say_is_left_out(made: Any, why: str) -> None:
    with pytest.raises(NoCase, match=why):
        case_line(made)


def test_a_cut_answer_is_nothing_to_compare_with() -> None:
    made = asked({"role": "user", "content": "x"}, cut=True)
    with pytest.raises(NoCase, match="not whole"):
        case_line(made, expected=True)
    assert b"expected" not in case_line(made)


@given(st.text(), st.text())
def test_whatever_was_said_comes_back(
    tmp_path_factory: pytest.TempPathFactory, question: str, answer: str
) -> None:
    made = asked({"role": "user", "content": question}, answer=answer)
    [case] = read(tmp_path_factory.mktemp("c"), case_line(made, expected=True))
    assert case.turns == (("user", question),)
    assert case.expected is not None and msgspec.json.decode(case.expected) == answer


def test_what_was_answered_by_an_earlier_answer_is_a_case_where_it_asks_something_else() -> None:
    exact = captured(cache="hit", cache_tier="exact")
    other = captured(cache="hit", cache_tier="semantic")
    near = captured(cache="miss", cache_tier="semantic")
    for made, expected in ((exact, False), (exact, True), (other, True)):
        with pytest.raises(NoCase, match="kept from an earlier request"):
            case_line(made, expected=expected)
    assert b'"cache":"semantic"' in case_line(other)
    assert b'"cache"' not in case_line(near, expected=True)
