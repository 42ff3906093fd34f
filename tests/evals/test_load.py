"""Whose file it is, and that every file is an answer."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evals.written import loaded, told

from tidegate.evals.load import load_suites

SHARED = Path(__file__).resolve().parents[2].parent / "shared/evals/formats"
FIXTURES = sorted(
    path
    for tool in ("promptfoo", "openai-evals", "pydantic-evals")
    for path in (SHARED / tool).glob("*")
)


@pytest.mark.evals
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_fixture_loads_or_says_where_it_cannot(path: Path) -> None:
    found = load_suites(path)
    assert bool(found.problems) or len(found.suites) == 1
    for problem in found.problems:
        assert problem.mark.line >= 1
        assert problem.message


@pytest.mark.evals
def test_scripts_of_the_fixtures_are_errors_to_be_and_not_left_out() -> None:
    [sql] = load_suites(SHARED / "promptfoo/text_to_sql__promptfooconfig.yaml").suites
    assert [case.checks[-1].grader for case in sql.cases] == ["unsupported"] * 7
    table = "retrieval_augmented_generation__end_to_end_dataset.csv"
    [rag] = load_suites(SHARED / "promptfoo" / table).suites
    assert len(rag.cases) == 100
    assert {check.grader for case in rag.cases for check in case.checks} == {"unsupported"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "no suite that is known"),
        ("a: 1", "no suite that is known"),
        ("", "it is empty"),
        ("a: [", "this is not YAML"),
        ("cases: [1", "this is not YAML"),
        ("a: &a [*a]", "anchor"),
        ("- 3", "there is no file 3"),
        ("- [3]", "a test is a mapping"),
        ("? [a]\n: 1", "a key must be"),
    ],
)
def test_what_is_no_suite_says_so(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(tmp_path, text)[0]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    for name in ("none.yaml", "none.csv"):
        [problem] = load_suites(tmp_path / name).problems
        assert "cannot be read" in problem.message


KEYS = st.sampled_from(
    [
        *("cases", "cases_from", "defaults", "id", "checks", "variables", "turns"),
        *("expected", "tests", "vars", "assert", "type", "value", "scenarios", "config"),
        *("defaultTest", "options", "metadata", "tidegate", "threshold", "inputs"),
        *("evaluators", "class", "args", "prompts", "providers", "samples_jsonl"),
        *("exact", "contains", "not", "weight"),
    ]
)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | KEYS
    | st.text(max_size=9)
    | st.sampled_from(["file://x.yaml", "../y", "{{ a }}", "{% raw %}", "is-json", "not-contains"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(tree=TREES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_tree_gives_suites_or_located_problems(tmp_path: Path, tree: object) -> None:
    found = loaded(tmp_path, repr(tree).replace("None", "null"))
    assert found.problems or found.suites
    assert all(problem.mark.line >= 1 and problem.message for problem in found.problems)


@given(data=st.binary(max_size=200) | st.text('a,"\n;:_\0', max_size=80).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_bytes_give_suites_or_located_problems(tmp_path: Path, data: bytes) -> None:
    for name in ("t.csv", "t.yaml"):
        (tmp_path / name).write_bytes(data)
        found = load_suites(tmp_path / name)
        assert found.problems or found.suites
