"""A suite written as an eval of OpenAI's registry and read again is the same suite."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.evals.test_promptfoo_out import SUITES, TEXTS, cases
from tests.evals.test_reading import JSON

from tidegate.core.grading import Case, Check
from tidegate.evals.load import load_suites
from tidegate.evals.openai_out import write_openai
from tidegate.evals.reading import raw
from tidegate.evals.suite import Suite
from tidegate.evals.written_suite import NoPlace, Written

RUBRIC = {
    "rubric": "Is (ANSWER) to (QUESTION) as (REFERENCE)?",
    "choices": {"Y": 1.0, "N": 0.0},
}
SAID = st.sampled_from(
    [
        Check("contains", raw({"at": "start"})),
        Check("contains"),
        Check("contains", raw({"ignore_case": True})),
        Check("contains", raw({"normalise": True, "either_way": True})),
        Check("exact", raw({"json": True})),
        Check("judge_rubric", raw(RUBRIC)),
    ]
)
TURNS = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXTS), min_size=1, max_size=3
).map(tuple)


@st.composite
def said(draw: st.DrawFn) -> Suite:
    check = draw(SAID)
    rows = draw(st.lists(cases(), min_size=1, max_size=3, unique_by=lambda it: it.id))
    made = [
        replace(
            it,
            checks=(check,),
            variables={},
            turns=draw(TURNS),
            expected=raw(draw(JSON)),
        )
        for it in rows
    ]
    return Suite("suite", tuple(made))


def again(folder: Path, written: Written) -> Suite | None:
    for place, text in {"evals/suite.yaml": written.text, **written.files}.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = load_suites(folder / "evals/suite.yaml")
    assert not found.problems, [str(it) for it in found.problems]
    return found.suites[0]


@given(before=said())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_can_be_said_there_comes_back_as_it_was(tmp_path: Path, before: Suite) -> None:
    written = write_openai(before)
    assert written.left_out == ()
    found = again(tmp_path, written)
    assert found is not None
    assert found.cases == before.cases
    assert found.digest() == before.digest()


@given(before=SUITES)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_of_any_suite_what_is_not_named_comes_back(tmp_path: Path, before: Suite) -> None:
    try:
        written = write_openai(before)
    except NoPlace as no:
        assert str(no)
        return
    left = {it.split("case ")[1].split(": ")[0] for it in written.left_out if "case " in it}
    found = again(tmp_path, written)
    assert found is not None
    assert list(found.cases) == [it for it in before.cases if it.id not in left]


def test_what_has_no_place_is_named() -> None:
    check = Check("contains")
    turns = (("user", "hi"),)
    expected = raw("x")
    suite = Suite(
        "s",
        (
            Case("fits", turns=turns, expected=expected, checks=(check,)),
            Case("fits too", turns=turns, expected=expected, checks=(check,)),
            Case("other", turns=turns, expected=expected, checks=(Check("exact"),)),
            Case("fills", {"q": raw(1)}, expected=expected, checks=(check,)),
            Case("expects", turns=turns, checks=(check,)),
        ),
        owner="ada",
        repeats=5,
    )
    assert write_openai(suite).left_out == (
        "the case other: it has another check than most, or several",
        "the case fills: it fills a prompt, and a sample is what is asked as it stands",
        "the case expects: it expects nothing",
        "its owner ada",
        "that each case is asked 5 times",
    )


@pytest.mark.parametrize(
    "options",
    [
        {"rubric": "is kind"},
        {**RUBRIC, "rubric": "Is {it} (ANSWER) to (QUESTION)?"},
        {**RUBRIC, "choices": {"Y": 0.5, "N": 0.0}},
        {**RUBRIC, "threshold": 0.7},
    ],
)
def test_a_rubric_that_is_no_prompt_of_theirs_is_not_written(options: dict[str, object]) -> None:
    check = Check("judge_rubric", msgspec.Raw(msgspec.json.encode(options)))
    suite = Suite("s", (Case("a", turns=(("user", "hi"),), checks=(check,)),))
    with pytest.raises(NoPlace, match="no case has one check"):
        write_openai(suite)


def test_a_sample_whose_id_is_there_twice_is_told(tmp_path: Path) -> None:
    check = Check("contains")
    one = Case("a", turns=(("user", "hi"),), expected=raw("x"), checks=(check,))
    written = write_openai(Suite("suite", (one,)))
    [line] = written.files["data/suite/samples.jsonl"].splitlines()
    twice = replace(written, files={"data/suite/samples.jsonl": f"{line}\n{line}\n"})
    with pytest.raises(AssertionError, match="there twice"):
        again(tmp_path, twice)
