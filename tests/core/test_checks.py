"""Checks as a plan writes them are those of suites, or are refused where they are wrong."""

from pathlib import Path

import msgspec
import pytest

from tidegate.core.checks import MOST_CHECKS, Graders, checks_of
from tidegate.core.grading import Check
from tidegate.evals.load import load_suites

GRADERS = Graders()


def said(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    checks_of(text, GRADERS, lambda path, what: found.update({".".join(path): what}))
    return found


def test_they_are_read_as_a_suite_reads_them(tmp_path: Path) -> None:
    rows = """[refusal, {contains: {any: ["yes"]}, not: true, weight: 2, metric: says yes},
      {judge_rubric: {rubric: It is polite.}, threshold: 0.7}]"""
    file = tmp_path / "s.yaml"
    file.write_text(f"cases: [{{id: a, turns: [{{user: hi}}], checks: {rows}}}]")
    [suite] = load_suites(file).suites
    written = [
        "refusal",
        {"contains": {"any": ["yes"]}, "not": True, "weight": 2, "metric": "says yes"},
        {"judge_rubric": {"rubric": "It is polite."}, "threshold": 0.7},
    ]
    text = msgspec.json.encode(written).decode()
    assert checks_of(text, GRADERS, lambda path, what: None) == suite.cases[0].checks


@pytest.mark.parametrize(
    ("text", "at", "what"),
    [
        ("{}", "", "expected a list of checks"),
        ("[]", "", "expected a list of checks"),
        ("not json", "", "expected a list of checks"),
        ("[" + ",".join(['"refusal"'] * (MOST_CHECKS + 1)) + "]", "", "at most"),
        ('["contain"]', "0.contain", 'did you mean "contains"?'),
        ('[{"not-contains":"sorry"}]', "0.not-contains", "there is no grader"),
        ('[{"contains":"sorry"}]', "0.contains", "are a mapping"),
        ('["refusal",{"contains":{"anyy":["x"]}}]', "1.contains", 'did you mean "any"?'),
        ('[{"refusal":{},"latency":{}}]', "0", "one grader's name"),
        ("[7]", "0", "one grader's name"),
        ('[{"refusal":{},"not":"yes"}]', "0.not", "true or false"),
        ('[{"refusal":{},"weight":-1}]', "0.weight", "from 0"),
        ('[{"refusal":{},"weight":true}]', "0.weight", "from 0"),
        ('[{"refusal":{},"threshold":0}]', "0.threshold", "above 0"),
        ('[{"refusal":{},"metric":3}]', "0.metric", "expected a text"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(text: str, at: str, what: str) -> None:
    [(path, message)] = said(text).items()
    assert path == at
    assert what in message


def test_a_group_needs_a_judge_where_one_of_it_does() -> None:
    def group(grader: str, options: str) -> Check:
        members = f'{{"checks":[{{"grader":"{grader}","options":{options}}}]}}'
        return Check("group", msgspec.Raw(members.encode()))

    assert GRADERS.asks(group("judge_rubric", '{"rubric":"x"}'))
    assert not GRADERS.asks(group("refusal", "{}"))
    assert GRADERS.asks(Check("judge_rubric")) and not GRADERS.asks(Check("refusal"))


def test_a_grader_that_does_not_load_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Graders, "names", lambda _: ["broken"])
    [(path, message)] = said('["broken"]').items()
    assert (path, "broken" in message) == ("0.broken", True)
