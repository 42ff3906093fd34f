"""What moves a judge beside the better answer; on simulated judges and on real logs."""

import json
from math import exp, log
from pathlib import Path
from random import Random

import pytest

from tidegate.stats.judge_bias import (
    Bias,
    Judged,
    bias,
    corrected,
    is_partial,
    length_bias,
    proportion,
)

CALIBRATION = Path(__file__).parents[3] / "shared/evals/judge_calibration"


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (81, 263, 0.2527, 0.3676)],
)
def test_a_printed_interval_is_met(hits: int, count: int, low: float, high: float) -> None:
    found = proportion(hits, count)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_a_judge_is_partial_only_when_that_is_sure() -> None:
    assert is_partial(proportion(700, 1000))
    assert is_partial(proportion(300, 1000))
    assert not is_partial(proportion(7, 10))
    assert not is_partial(proportion(0, 0))
    assert proportion(0, 0).share is None


def _pairs(taste: float, length: float, seed: int = 1, count: int = 1500) -> list[Judged]:
    """Of a judge that minds quality and length so much."""
    draw, pairs = Random(seed), []
    for _ in range(count):
        first, longer = draw.random() < 0.5, draw.gauss(0, 0.5)
        minded = taste * (1 if first else -1) + length * longer / 0.5
        pairs.append(Judged(first, draw.random() < 1 / (1 + exp(-minded)), longer))
    return pairs


def test_a_taste_for_length_is_found_beside_a_taste_for_quality() -> None:
    found = length_bias(_pairs(taste=1.0, length=0.6))
    assert found is not None
    assert found.coefficient == pytest.approx(0.6, abs=0.15)
    assert found.is_biased
    fair = length_bias(_pairs(taste=1.0, length=0.0))
    assert fair is not None
    assert not fair.is_biased


def test_quality_that_goes_with_length_is_no_bias() -> None:
    draw, pairs = Random(2), []
    for _ in range(2000):
        first = draw.random() < 0.5
        longer = (0.4 if first else -0.4) + draw.gauss(0, 0.3)
        right = draw.random() < 0.9
        pairs.append(Judged(first, first if right else not first, longer))
    found = length_bias(pairs)
    assert found is not None
    assert not found.is_biased


def test_a_judge_that_always_agrees_has_finite_figures() -> None:
    pairs = [Judged(n % 2 == 0, n % 2 == 0, (n % 7 - 3) / 10) for n in range(200)]
    found = length_bias(pairs)
    assert found is not None
    assert abs(found.coefficient) < 5


def test_few_pairs_and_one_length_say_nothing() -> None:
    assert length_bias(_pairs(1.0, 0.5, count=9)) is None
    assert length_bias([Judged(True, True, 0.0)] * 50) is None


def test_a_few_human_labels_take_a_judges_bias_away() -> None:
    draw, held = Random(3), 0
    for _ in range(300):
        truth = [float(draw.random() < 0.6) for _ in range(1000)]
        judge = [min(1.0, it + (draw.random() < 0.5)) for it in truth]  # kind to half of the bad
        beside = bias(list(zip(truth[:200], judge[:200], strict=True)))
        assert beside is not None
        found = corrected(judge[200:], beside)
        assert found is not None
        held += found.low <= 0.6 <= found.high
    assert held / 300 >= 0.92
    assert corrected([1.0], Bias(0.0, 0.0, 5)) is None
    assert bias([(1.0, 1.0)]) is None


def _first_shown(judge: str, prompt: str) -> tuple[int, int]:
    lines = (CALIBRATION / "llmbar_verdicts.jsonl").read_text().splitlines()
    hits = count = 0
    for row in map(json.loads, lines):
        if (row["judge"], row["prompt"]) == (judge, prompt):
            for shown_first, winner in (("1", row["winner"]), ("2", row["winner_swapped"])):
                if winner in ("1", "2"):
                    hits, count = hits + (winner == shown_first), count + 1
    return hits, count


@pytest.mark.parametrize(
    ("judge", "prompt", "share", "partial"),
    [("GPT-4", "Vanilla", 0.51, False), ("ChatGPT", "Vanilla", 0.65, True),
     ("Falcon", "CoT", 0.93, True)],
)  # fmt: skip
def test_real_judges_are_as_partial_as_is_known_of_them(
    judge: str, prompt: str, share: float, partial: bool
) -> None:
    found = proportion(*_first_shown(judge, prompt))
    assert found.share == pytest.approx(share, abs=0.01)
    assert is_partial(found) is partial


def test_real_judges_like_length() -> None:
    pairs = {
        row["id"]: row
        for row in map(json.loads, (CALIBRATION / "llmbar_pairs.jsonl").read_text().splitlines())
    }
    found = {}
    for judge in ("GPT-4", "ChatGPT"):
        judged = []
        for row in map(
            json.loads, (CALIBRATION / "llmbar_verdicts.jsonl").read_text().splitlines()
        ):
            if (row["judge"], row["prompt"]) == (judge, "Vanilla") and row["winner"] in ("1", "2"):
                pair = pairs[row["id"]]
                longer = log(max(1, len(pair["output_1"])) / max(1, len(pair["output_2"])))
                judged.append(Judged(row["label"] == 1, row["winner"] == "1", longer))
        found[judge] = length_bias(judged)
    assert found["ChatGPT"] is not None
    assert found["GPT-4"] is not None
    assert found["ChatGPT"].is_biased
    assert not found["GPT-4"].is_biased
