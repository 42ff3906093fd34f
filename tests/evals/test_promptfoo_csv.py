"""Tables of promptfoo's."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.evals.written import suite, told

from tidegate.evals.promptfoo_csv import assertion_of


@pytest.mark.parametrize(
    ("cell", "assertion"),
    [
        ("Paris", {"type": "equals", "value": "Paris"}),
        ("note: this", {"type": "equals", "value": "note: this"}),
        ("contains: Paris", {"type": "contains", "value": "Paris"}),
        ("not-icontains:no", {"type": "not-icontains", "value": "no"}),
        ("contains-any: <b>,</span>", {"type": "contains-any", "value": ["<b>", "</span>"]}),
        (
            'contains-all: "1,000", in stock',
            {"type": "contains-all", "value": ["1,000", "in stock"]},
        ),
        ("similar(0.8):Hello", {"type": "similar", "value": "Hello", "threshold": 0.8}),
        ("rouge-n: a", {"type": "rouge-n", "value": "a", "threshold": 0.75}),
        ("latency(500)", {"type": "latency", "threshold": 500.0}),
        ("is-json", {"type": "is-json"}),
        ("grade: is kind", {"type": "llm-rubric", "value": "is kind"}),
        ("fn: output.length", {"type": "javascript", "value": "output.length"}),
        ("python:file://x.py", {"type": "python", "value": "file://x.py"}),
        ("file://check.py:grade", {"type": "python", "value": "file://check.py:grade"}),
        ("file://check.js", {"type": "javascript", "value": "file://check.js"}),
        ("equals: {a: b", {"type": "equals", "value": "{a: b"}),
    ],
)
def test_a_cell_is_an_assertion(cell: str, assertion: dict[str, Any]) -> None:
    assert assertion_of(cell) == assertion


def test_columns_are_variables_or_what_their_names_say(tmp_path: Path) -> None:
    text = """\
    q,__expected1,__expected2,__description,__threshold,__metric,__metadata:kind,__config:__expected2:weight
    "2, and
    2?",4,contains: four,sum,0.5,maths,easy,3
    why?,,contains: so,,,,,
    """
    two, why = suite(tmp_path, text, "t.csv").cases
    assert msgspec.json.decode(two.variables["q"]).split() == ["2,", "and", "2?"]
    assert [check.grader for check in two.checks] == ["exact", "contains"]
    assert [check.weight for check in two.checks] == [1, 3]
    assert {check.metric for check in two.checks} == {"maths"}
    assert (two.description, two.threshold, two.strata) == ("sum", 0.5, {"kind": "easy"})
    assert [check.grader for check in why.checks] == ["contains"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first row names the columns"),
        ("a,a\n1,2\n", '1:1: a: the column "a" comes twice'),
        ("a,b\n1,2\n3\n", "3:1: the row has 1 fields, and the head 2"),
        ('a,b\n1,"2\n3\n', "2:1: this row is no CSV"),
        ("a,__expected\n1,contains-all\n", "2:1: assert.0: "),
        ("a,__expected\n\n1,word-count: many\n", "3:1: assert.0: its `value` is a number of words"),
        ("a,__threshold\n1,2\n", "2:1: threshold: it must be from 0 to 1"),
        ("a,__expected\n{{ b }},x\n", "2:1: vars: the template cannot be filled in"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(tmp_path, text, "t.csv")[0]


def test_tabs_part_where_the_name_says_so(tmp_path: Path) -> None:
    [case] = suite(tmp_path, "a\t__expected\n1,2\tx\n", "t.tsv").cases
    assert bytes(case.variables["a"]) == b'"1,2"'


def test_a_prefix_changes_the_question_and_so_cannot_pass(tmp_path: Path) -> None:
    [case] = suite(tmp_path, "a,__expected,__prefix\n1,x,Say: \n", "t.csv").cases
    assert [check.grader for check in case.checks] == ["unsupported", "exact"]
