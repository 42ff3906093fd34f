"""Our own suites: what they say, and what is wrong with them by file, line and field."""

from pathlib import Path

import msgspec
from tests.evals.written import loaded, suite, told

GOOD = """
    name: refunds
    owner: support
    prompt: refunds
    repeats: 5
    defaults:
      variables: {tone: kind, lang: no}
      strata: {kind: usual}
      checks:
        - length: {most_words: 80}
    cases:
      - id: late
        variables: {question: "Where is my parcel?", lang: de}
        expected: [14 days, two weeks]
        context: Refunds take 14 days.
        must_pass: true
        strata: {kind: hard}
        checks:
          - contains
          - regex: {pattern: sorry}
            not: true
            weight: 2
            metric: tone
      - id: chat
        turns: [{user: hi}, {role: assistant, content: hello}]
        variables: {}
        checks: [{judge_rubric: {rubric: is kind}, threshold: 0.7}]
"""


def test_a_suite_says_what_it_is_for_and_its_cases(tmp_path: Path) -> None:
    # A case of turns takes no variables from the defaults either.
    text = GOOD.replace("variables: {tone: kind, lang: no}", "threshold: 0.9")
    read = suite(tmp_path, text)
    assert (read.name, read.owner, read.prompt, read.repeats) == (
        "refunds",
        "support",
        "refunds",
        5,
    )
    late, chat = read.cases
    assert late.must_pass
    assert late.strata == {"kind": "hard"}
    assert late.context == ("Refunds take 14 days.",)
    assert [check.grader for check in late.checks] == ["length", "contains", "regex"]
    assert (late.checks[2].negated, late.checks[2].weight, late.checks[2].metric) == (
        True,
        2,
        "tone",
    )
    assert chat.turns == (("user", "hi"), ("assistant", "hello"))
    assert (chat.checks[1].threshold, chat.threshold) == (0.7, 0.9)


def test_defaults_are_added_to_by_name(tmp_path: Path) -> None:
    read = suite(tmp_path, GOOD.partition("      - id: chat")[0])
    variables = {name: msgspec.json.decode(it) for name, it in read.cases[0].variables.items()}
    assert variables == {"tone": "kind", "lang": "de", "question": "Where is my parcel?"}


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """\
    name: Refunds!
    ownr: support
    repeats: 0
    cases:
      - variables: {q: 1}
        checks: [exact]
      - id: a
        checks: [exakt]
      - id: a
        checks: [exact]
      - id: b
        variables: {q: .nan}
        checks: [exact]
      - id: c
        checks: [{contains: {any: red}}]
      - id: d
      - id: e
        turns: [{robot: hi}]
        checks: [exact]
      - id: f
        must_pass: yes
        checks: [{exact: {}, regex: {}}]
    """
    assert [line.rstrip("?") for line in told(tmp_path, text)] == [
        "1:7: name: a name is 1 to 64 of a-z, 0-9, `.`, `_` and `-`",
        '2:1: ownr: unknown key; did you mean "owner"',
        "3:10: repeats: it must be from 1 to 100",
        "5:5: cases.0: `id` is missing",
        '8:14: cases.1.checks.0: there is no grader of this name; did you mean "exact"',
        '9:9: cases.2.id: the id "a" is already on line 7',
        "12:20: cases.3.variables.q: this number has no form in JSON; put it in quotes",
        "15:25: cases.4.checks.0.contains: Expected `array`, got `str` - at `$.any`",
        "16:5: cases.5: the case checks nothing; it needs `checks`",
        '18:13: cases.6.turns.0: "robot" is no role; those are system, developer, user, assistant',
        '21:16: cases.7.must_pass: expected true or false; found "yes"',
    ]


def test_cases_lie_beside_in_lines_of_json(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text(
        '{"id": "b", "variables": {"q": "2"}, "checks": ["exact"], "expected": 2}\n'
        '{"id": "c", "checks": [{"contains": {"any": ["x"]}}]}\n'
    )
    text = """
    cases_from: more.jsonl
    cases: [{id: a, checks: [exact]}]
    """
    assert [case.id for case in suite(tmp_path, text).cases] == ["a", "b", "c"]


def test_a_bad_line_names_its_file_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text(
        '{"id": "a", "checks": ["exact"]}\n'
        "{not json}\n"
        '{"id": "b", "checks": ["exact"], "must_pass": 1}\n'
        '{"id": "a", "checks": ["exact"]}\n'
    )
    found = loaded(tmp_path, "cases_from: [more.jsonl]")
    told = [(Path(it.file).name, it.mark.line, it.path) for it in found.problems]
    assert found.suites == ()
    assert told == [
        ("more.jsonl", 2, ()),
        ("more.jsonl", 3, ("must_pass",)),
        ("more.jsonl", 4, ("id",)),
    ]


def test_no_file_outside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("{}")
    text = "cases_from: [../secret.jsonl, none.jsonl]"
    lines = told(tmp_path, text, "deep/suite.yaml")
    assert ["outside" in line or "no file" in line for line in lines] == [True, True]


def test_a_suite_without_a_case_is_told(tmp_path: Path) -> None:
    assert "no case" in told(tmp_path, "cases: []")[0]
    assert "expected a list" in told(tmp_path, "cases: 3")[0]
    assert told(tmp_path, "name: x\nowner: y\n") != []
