"""A suite written for promptfoo and read again is the same suite."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.evals.test_promptfoo_checks import MADE, TOOLS
from tests.evals.test_reading import JSON
from tests.evals.written import suite

from tidegate.core.grading import Case, Check
from tidegate.evals.load import load_suites
from tidegate.evals.promptfoo_checks import READ, check_of
from tidegate.evals.promptfoo_out import write_promptfoo
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.evals.reading import raw
from tidegate.evals.suite import Suite

TEXTS = st.text(max_size=12) | st.sampled_from(
    ["yes", "1e3", "0o17", "~", "{{ a }}", "{% x %}", "a\nb", " a ", "#", "12:30", "null", "- a"]
)
NAMES = st.text("abcxyz_09", min_size=1, max_size=6)
WEIGHTS = st.sampled_from([0.5, 1.0, 2.0])


def made(kind: str, negated: bool, weight: float, metric: str | None) -> Check:
    members, _, _ = MADE[kind]
    more = {} if metric is None else {"metric": metric}
    prefix = "not-" if negated else ""
    return check_of({"type": prefix + kind, **members, **more, "weight": weight}, TOOLS)


def texts_checks(text: str) -> list[Check]:
    kinds = ("equals", "contains", "starts-with", "rouge-n", "llm-rubric")
    return [check_of({"type": kind, "value": text}) for kind in kinds]


CHECKS = st.builds(
    made,
    st.sampled_from([kind for kind in READ if "valid" not in kind]),
    st.booleans(),
    WEIGHTS,
    st.none() | TEXTS,
)
GROUPS = st.lists(st.sampled_from(["contains", "cost", "bleu"]), min_size=1, max_size=3).map(
    lambda kinds: check_of(
        {"type": "assert-set", "assert": [{"type": kind, **MADE[kind][0]} for kind in kinds]}
    )
)
SCRIPTS = st.sampled_from(sorted(UNSUPPORTED)).map(
    lambda kind: check_of({"type": kind, "value": "file://{{ x }}.py", "threshold": 0.3})
)
ODD = st.sampled_from(
    [
        {"type": "regex", "value": "(?=x)y"},
        {"type": "not-regex", "value": "(?=x){{ y }}", "weight": 3},
        {"type": "contains", "value": "{{ a }}", "transform": "output.trim()"},
        {"type": "equals", "value": "file://check.py", "metric": "{{ m }}"},
        {"type": "assert-set", "assert": [{"type": "regex", "value": "(?!{{ a }})"}]},
        {"type": "assert-set", "assert": [{"type": "not-ruby", "value": "{{ a }}"}]},
    ]
).map(check_of)
ANY = (
    ODD
    | CHECKS
    | GROUPS
    | SCRIPTS
    | TEXTS.filter(bool).flatmap(lambda it: st.sampled_from(texts_checks(it)))
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    variables = draw(st.dictionaries(NAMES, TEXTS | JSON, max_size=3))
    return Case(
        draw(st.text("abc-1. ", min_size=1, max_size=5)),
        {name: raw(value) for name, value in variables.items()},
        expected=draw(st.none() | JSON.filter(lambda it: it is not None).map(raw)),
        context=tuple(draw(st.lists(st.text(max_size=5), max_size=2))),
        checks=tuple(draw(st.lists(ANY, min_size=1, max_size=3))),
        must_pass=draw(st.booleans()),
        strata=draw(st.dictionaries(NAMES, TEXTS, max_size=2)),
        threshold=draw(st.none() | st.sampled_from([0.5, 1.0])),
        description=draw(TEXTS),
        turns=draw(st.sampled_from([(), (("user", "hi {{ a }}"),)])),
    )


SUITES = st.builds(
    lambda given_cases, repeats: Suite("suite", tuple(given_cases), repeats=repeats),
    st.lists(cases(), min_size=1, max_size=3, unique_by=lambda case: case.id),
    st.integers(1, 9),
)


@given(before=SUITES)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_written_and_read_again_it_is_the_same_but_for_what_is_named(
    tmp_path: Path, before: Suite
) -> None:
    written = write_promptfoo(before)
    path = tmp_path / "suite.yaml"
    path.write_text(written.text)
    found = load_suites(path)
    left = {it.split("case ")[1].split(": ")[0] for it in written.left_out if "case " in it}
    kept = [case for case in before.cases if case.id not in left]
    again = found.suites[0].cases if found.suites else ()
    assert [case for case in again if case.id not in left] == kept, written.text
    if not left:
        assert found.suites == (before,)
        assert found.suites[0].digest() == before.digest()


def test_a_suite_of_ours_is_carried_as_far_as_it_goes_and_the_rest_is_named(tmp_path: Path) -> None:
    text = """
    name: suite
    owner: ada
    prompt: greet
    cases:
    - id: a
      variables: {q: "hi"}
      checks: [{contains: {any: [x]}}, {language: {any: [en]}}]
    - id: b
      checks: [{numeric: {value: 3}}]
    - id: c
      checks: [{contains: {any: ["{% endraw %}"]}}]
    """
    written = write_promptfoo(suite(tmp_path, text))
    assert written.left_out == (
        "a check of the case a: language",
        "a check of the case b: numeric",
        "the case b: none of its checks",
        "a check of the case c: contains",
        "the case c: none of its checks",
        "that it is for the prompt greet",
        "its owner ada",
    )
    [case] = suite(tmp_path, written.text).cases
    assert (case.id, len(case.checks)) == ("a", 1)


def test_promptfoos_own_come_out_as_they_went_in(tmp_path: Path) -> None:
    text = """
    description: d
    prompts: ["Say {{ q }}"]
    tests:
    - vars: {q: hi, l: [[1], x]}
      assert:
      - {type: not-contains-any, value: [a, b]}
      - {type: python, value: "file://x.py", config: {a: "{{ b }}"}}
      - {type: assert-set, threshold: 1, assert: [{type: is-json}, {type: ruby, value: "1"}]}
    """
    before = suite(tmp_path, text)
    written = write_promptfoo(before)
    assert written.left_out == ()
    after = suite(tmp_path, written.text)
    assert after == replace(before, name=after.name)


def test_any_options_give_an_assertion_that_is_the_check_or_none() -> None:
    odd: list[dict[str, Any]] = [{}, {"any": []}, {"value": None}, {"checks": []}, {"most_s": 0.1}]
    graders = (
        "exact",
        "contains",
        "group",
        "latency",
        "length",
        "tool_call",
        "judge_rubric",
        "cost",
    )
    for grader in graders:
        for options in odd:
            before = Suite("s", (Case("a", checks=(Check(grader, raw(options)),)),))
            assert write_promptfoo(before).text
