"""Cases on which two versions differ: the exact test, and the coin that is looked at each time."""

import json
from math import comb, exp, log
from pathlib import Path
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats.discordant import Coin, p_value
from tidegate.stats.student import beta_share

SOLUTIONS = Path(__file__).parents[3] / "shared/evals/gsm8k/example_model_solutions.jsonl"


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_p_value_is_the_binomials_tail(lost: int, won: int) -> None:
    count = lost + won
    exact = sum(comb(count, heads) for heads in range(lost, count + 1)) / 2**count
    assert p_value(lost, won) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_a_hundred_thousand_cases_are_no_matter() -> None:
    assert p_value(51_000, 49_000) == pytest.approx(1.3e-10, rel=0.05)
    assert p_value(49_000, 51_000) > 0.999


@given(st.lists(st.booleans(), max_size=80))
def test_the_coins_evidence_is_the_formulas(tosses: list[bool]) -> None:
    coin = Coin()
    for lost in tosses:
        coin.toss(lost=lost)
    x, y = coin.lost, coin.won
    formula = 2 ** (x + y + 1) / ((x + y + 1) * comb(x + y, x)) * beta_share(y + 1, x + 1, 0.5)
    assert exp(coin.ln_e) == pytest.approx(formula, rel=1e-6)


def test_the_order_of_cases_changes_nothing() -> None:
    tosses = [True] * 40 + [False] * 25
    coins = [Coin(), Coin()]
    for coin, order in zip(coins, (tosses, tosses[::-1]), strict=True):
        for lost in order:
            coin.toss(lost=lost)
    assert coins[0].ln_e == pytest.approx(coins[1].ln_e, rel=1e-9)


def test_an_equal_candidate_is_seldom_called_worse() -> None:
    draw, alarms = Random(20), 0
    for _ in range(1000):
        coin = Coin()
        for _ in range(300):
            coin.toss(lost=draw.random() < 0.5)
            if coin.is_worse(0.05):
                alarms += 1
                break
    assert alarms <= 50


def test_what_was_won_is_no_evidence_against_it() -> None:
    coin = Coin()
    for _ in range(2000):
        coin.toss(lost=False)
    assert coin.ln_e <= 0
    for _ in range(1000):
        coin.toss(lost=True)
    assert coin.ln_e <= 0


def _solved() -> list[tuple[bool, bool]]:
    """Whether the better and the worse model solved a case."""
    rows = [json.loads(line) for line in SOLUTIONS.read_text().splitlines()]
    return [
        (row["175b_verification"]["is_correct"], row["6b_verification"]["is_correct"])
        for row in rows
    ]


def test_a_drop_of_seventeen_points_is_found_after_seventy_cases() -> None:
    """Of real solutions of GSM8K: 56 % solved by one model, 39 % by the other."""
    cases, found = _solved(), []
    for seed in range(200):
        coin = Coin()
        asked = 0
        for better, worse in Random(seed).sample(cases, len(cases)):
            asked += 1
            if better != worse:
                coin.toss(lost=better)
            if coin.ln_e >= log(20):
                break
        found.append(asked)
    print(f"a drop of 17 points is found after {median(found):.0f} cases (median of 200)")
    assert median(found) <= 70
