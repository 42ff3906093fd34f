"""What a new version costs in input tokens."""

import pytest
from tests.prompts.making import prompt, sent

from tidegate.prompts.counting import Counter
from tidegate.prompts.delta import token_delta

CASES = [("one", sent(a="x" * 40)), ("two", sent(a="y" * 80))]


@pytest.mark.parametrize(
    ("more", "verdict"), [(0, "pass"), (32, "pass"), (40, "warn"), (80, "warn"), (140, "block")]
)
def test_so_much_more_is_told_or_blocks(more: int, verdict: str) -> None:
    before = prompt("z" * 100 + "{{ a }}", a="string")
    after = prompt("z" * (100 + more) + "{{ a }}", a="string")
    delta = token_delta(before, after, CASES, Counter())
    assert delta.before == 35 + 45 + 8
    assert delta.after - delta.before == 2 * more // 4
    assert delta.verdict == verdict
    assert not delta.exact


def test_exact_counts_say_so() -> None:
    before, after = prompt("hello {{ a }}", a="string"), prompt("hello world {{ a }}", a="string")
    delta = token_delta(before, after, [("c", sent(a="x"))], Counter("o200k"))
    assert (delta.exact, delta.counted_by) == (True, "o200k")
    assert delta.after - delta.before == 1


def test_a_case_that_does_not_fit_is_told_and_nothing_passes() -> None:
    before, after = prompt("{{ a }}", a="string"), prompt("{{ a }}{{ b }}", a="string", b="string")
    cases = [("old", sent(a="x")), ("new", sent(a="x", b="y"))]
    delta = token_delta(before, after, cases, Counter())
    assert [it.refused for it in delta.cases] == ['v1: the variable "b" is missing', None]
    assert (delta.compared, delta.verdict) == (1, "unknown")
    assert token_delta(before, after, [], Counter()).verdict == "unknown"
    assert token_delta(before, after, [], Counter()).share is None
