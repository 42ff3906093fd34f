"""What people and machines read of a gate."""

import re
from xml.etree import ElementTree

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.evals.runs import pair, same

from tidegate.core.grading import Answered, Case, Grade
from tidegate.evals.gate import judge
from tidegate.evals.outcome import Outcome, Paired
from tidegate.evals.report import Compared, as_json, as_junit, as_markdown

COMPARED = Compared("support", "support@v3", "support@v4")
ANY_TEXT = st.text(max_size=80)


def _lost(name: str, why: str) -> Paired:
    grade = (("contains", Grade("fail", 0.0, why)),)
    before = Outcome(name, 0, "pass", Answered("ok", input_tokens=9))
    after = Outcome(name, 0, "fail", Answered("no", input_tokens=9), grade, 0.0)
    return Paired(Case(name), (before,), (after,))


def test_a_page_says_what_was_lost_and_what_could_not_be_seen() -> None:
    pairs = [*same(30), _lost("refund-7", "it does not name the term of 14 days")]
    page = as_markdown(COMPARED, judge(pairs), pairs)
    assert "### support: inconclusive" in page
    assert re.search(r"\| quality \| inconclusive \| .* needs \d+ cases \| [\d.]+ points \|", page)
    assert "- `refund-7`: contains: it does not name the term of 14 days" in page


def test_what_is_inconclusive_is_an_error_and_what_is_lost_a_failure() -> None:
    pairs = [*same(10), _lost("lost", "no"), pair("unsure", [True], ["error"])]
    root = ElementTree.fromstring(as_junit(COMPARED, judge(pairs), pairs))  # noqa: S314 - our own
    gate, cases = root.findall("testsuite")
    assert (cases.get("tests"), cases.get("failures"), cases.get("errors")) == ("12", "1", "1")
    assert gate.find("testcase[@name='complete']/error") is not None


def test_json_carries_every_finding() -> None:
    gated = judge(same(200))
    told = msgspec.json.decode(as_json(COMPARED, gated))
    assert told["verdict"] == "pass"
    assert [it["check"] for it in told["findings"]] == [it.check for it in gated.findings]


@given(ANY_TEXT, ANY_TEXT)
def test_no_words_break_a_report(name: str, why: str) -> None:
    pairs = [_lost(name, why), *same(3)]
    compared = Compared(name, why, name)
    gated = judge(pairs)
    ElementTree.fromstring(as_junit(compared, gated, pairs))  # noqa: S314 - our own
    page = as_markdown(compared, gated, pairs)
    assert "<" not in page
    assert all(
        line.count("|") - line.count("\\|") == 5 for line in page.split("\n") if line[:1] == "|"
    )
