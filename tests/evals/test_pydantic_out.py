"""A suite written as a data set of pydantic-evals and read again is the same suite."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.evals.test_promptfoo_out import SUITES, TEXTS, cases
from tests.evals.test_reading import JSON
from tests.evals.written import suite

from tidegate.core.grading import Case, Check
from tidegate.evals.load import load_suites
from tidegate.evals.pydantic_evals import WHY_CLASS
from tidegate.evals.pydantic_out import write_pydantic
from tidegate.evals.reading import raw
from tidegate.evals.suite import Suite
from tidegate.evals.written_suite import NoPlace

SAID = (
    st.just(Check("exact"))
    | st.just(Check("exact", raw({"json": True})))
    | TEXTS.map(lambda it: Check("exact", raw({"value": it})))
    | JSON.filter(lambda it: not isinstance(it, str)).map(
        lambda it: Check("exact", raw({"json": True, "value": bytes(raw(it)).decode()}))
    )
    | TEXTS.map(lambda it: Check("contains", raw({"any": [it]})))
    | TEXTS.map(lambda it: Check("contains", raw({"any": [it], "ignore_case": True})))
    | st.floats(0.1, 9.0).map(lambda it: Check("latency", raw({"most_s": it})))
    | TEXTS.filter(bool).map(lambda it: Check("judge_rubric", raw({"rubric": it})))
    | JSON.map(
        lambda it: Check(
            "unsupported",
            raw({"type": "IsInstance", "why": WHY_CLASS, "written": {"arguments": it}}),
        )
    )
)


@st.composite
def sayable(draw: st.DrawFn) -> Case:
    return replace(draw(cases()), checks=tuple(draw(st.lists(SAID, min_size=1, max_size=3))))


OURS = st.lists(sayable(), min_size=1, max_size=3, unique_by=lambda it: it.id).map(
    lambda it: Suite("suite", tuple(it))
)


@given(before=SUITES | OURS)
@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_written_and_read_again_it_is_the_same_but_for_what_is_named(
    tmp_path: Path, before: Suite
) -> None:
    try:
        written = write_pydantic(before)
    except NoPlace as no:
        assert "the case" in str(no)
        return
    path = tmp_path / "suite.yaml"
    path.write_text(written.text)
    found = load_suites(path)
    assert not found.problems, written.text
    left = {it.split("case ")[1].split(": ")[0] for it in written.left_out if "case " in it}
    kept = [case for case in before.cases if case.id not in left]
    again = found.suites[0].cases
    assert [case for case in again if case.id not in left] == kept, written.text
    if not written.left_out:
        assert found.suites[0].digest() == before.digest()


def test_a_suite_that_can_be_said_there_is_said_whole(tmp_path: Path) -> None:
    text = """
    cases:
    - id: a
      variables: {q: "5", n: 5}
      expected: {b: 1}
      context: [so it is]
      must_pass: true
      strata: {topic: "7"}
      checks:
      - exact: {json: true}
      - contains: {any: [x], ignore_case: true}
      - latency: {most_s: 2.0}
    - id: b
      turns: [{user: hi}]
      threshold: 0.5
      expected: yes
      checks: [exact, {judge_rubric: {rubric: kind}}]
    """
    before = suite(tmp_path, text)
    written = write_pydantic(before)
    assert written.left_out == ()
    assert suite(tmp_path, written.text) == before


def test_what_has_no_place_is_named(tmp_path: Path) -> None:
    text = """
    owner: ada
    repeats: 5
    cases:
    - id: a
      checks: [{contains: {any: [x]}}, {contains: {all: [x]}}, {contains: {any: [x]}, weight: 2}]
    - {id: b, checks: [{language: {any: [en]}}]}
    - {id: c, strata: {tidegate: x}, checks: [{contains: {any: [x]}}]}
    """
    assert write_pydantic(suite(tmp_path, text)).left_out == (
        "a check of the case a: contains",
        "a check of the case a: contains",
        "a check of the case b: language",
        "the case b: none of its checks",
        "the case c: a stratum called tidegate",
        "its owner ada",
        "that each case is asked 5 times",
    )


def test_what_was_kept_for_us_and_changed_by_others_is_told(tmp_path: Path) -> None:
    row = "{name: a, inputs: {}, metadata: {tidegate: {must_pass: perhaps}}}"
    path = tmp_path / "s.yaml"
    path.write_text(f"cases: [{row}]\nevaluators: []\n")
    [problem] = load_suites(path).problems
    assert "`tidegate` is not as it was written" in str(problem)
