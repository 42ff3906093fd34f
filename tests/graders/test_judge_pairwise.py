"""A judge of two answers."""

import pytest
from tests.graders.graded import Judge, case, grade

from tidegate.core import plugs


def says(better: str) -> str:
    return f'{{"reason": "r", "better": "{better}"}}'


class Partial:
    """A judge that prefers the answer that holds a word, wherever it is shown."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.firsts: list[str] = []

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        first, _, _second = turns[1][1].partition("<<<ANSWER B")
        self.firsts.append(first)
        return says("A" if self.word in first else "B"), None


def test_both_orders_are_asked_and_have_to_agree() -> None:
    judge = Partial("ours")
    found = grade("judge_pairwise", {"against": "theirs"}, "ours", ask=judge)
    assert (found.verdict, found.score) == ("pass", 1.0)
    assert sorted("ours" in first for first in judge.firsts) == [False, True]
    assert grade("judge_pairwise", {"against": "better"}, "ours", ask=Partial("better")).score == 0


@pytest.mark.parametrize("letter", ["A", "B"])
def test_a_judge_that_prefers_a_place_says_it_is_a_tie(letter: str) -> None:
    found = grade("judge_pairwise", {"against": "theirs"}, "ours", ask=Judge(says(letter)))
    assert found.score == 0.5


def test_one_order_without_a_verdict_is_an_error() -> None:
    judge = Judge(says("A"), None)
    assert grade("judge_pairwise", {"against": "theirs"}, "ours", ask=judge).verdict == "error"
    assert grade("judge_pairwise", {}, "ours", ask=judge).verdict == "error"


def test_which_is_asked_first_follows_from_the_seed_and_the_case() -> None:
    def firsts(seed: int) -> list[bool]:
        judge = Partial("ours")
        for number in range(40):
            of = case(id=f"c{number}", expected="theirs")
            grade("judge_pairwise", {"seed": seed}, "ours", of, judge)
        return ["ours" in first for first in judge.firsts[::2]]

    assert firsts(1) == firsts(1) != firsts(2)
    assert 8 < sum(firsts(1)) < 32


def test_its_prompt_tells_it_from_other_judges() -> None:
    plug = plugs.load("graders", "judge_pairwise")
    assert plug.prompt({"criterion": "shorter"}) != plug.prompt({"criterion": "kinder"})
    assert plug.prompt({"threshold": 1}) != plug.prompt({})
    assert plug.prompt({"seed": 7, "against": "x"}) == plug.prompt({})
