"""Agreement beyond chance, on textbook cases and on real raters."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats.agreement import alpha, bootstrapped, kappa

PANDALM = Path(__file__).parents[3] / "shared/evals/judge_calibration/pandalm_test.jsonl"


def test_kappa_of_a_textbook_table() -> None:
    """Of 50 proposals: both yes 20, both no 15, 5 and 10 apart: 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(pairs) == pytest.approx(0.4)


def test_alpha_of_krippendorffs_own_example() -> None:
    """Four observers, twelve units, some unseen (his paper of 2011)."""
    first = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    second = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    third = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    fourth = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    units = [
        [value for value in unit if value is not None]
        for unit in zip(first, second, third, fourth, strict=True)
    ]
    assert alpha(units, "nominal") == pytest.approx(0.743, abs=5e-4)
    assert alpha(units, "ordinal") == pytest.approx(0.815, abs=5e-4)
    assert alpha(units, "interval") == pytest.approx(0.849, abs=5e-4)


def test_what_tells_nothing_has_no_figure() -> None:
    assert kappa([]) is None
    assert kappa([("a", "a")] * 9) is None
    assert alpha([[1.0], [2.0]]) is None
    assert alpha([[1.0, 1.0]] * 4) is None
    assert bootstrapped(kappa, [("a", "a")] * 9, seed=1).value is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1))
def test_kappa_is_symmetric_and_at_most_one(pairs: list[tuple[str, str]]) -> None:
    one, other = kappa(pairs), kappa([(b, a) for a, b in pairs])
    assert one == pytest.approx(other)
    assert one is None or one <= 1.0 + 1e-9


def _majority(row: dict[str, object]) -> object:
    label, votes = Counter(row[f"annotator{n}"] for n in (1, 2, 3)).most_common(1)[0]
    return label if votes > 1 else None


def test_real_raters_and_their_judges() -> None:
    """People agree at 0.85 to 0.88, their 7B judge with them at 0.44."""
    rows = [json.loads(line) for line in PANDALM.read_text().splitlines()]
    for one, other in ((1, 2), (1, 3), (2, 3)):
        found = kappa((row[f"annotator{one}"], row[f"annotator{other}"]) for row in rows)
        assert found is not None
        assert 0.845 < found < 0.885
    pairs = [(_majority(row), row["judge_pandalm7b"]) for row in rows]
    known = [(one, other) for one, other in pairs if one is not None]
    estimate = bootstrapped(kappa, known, seed=5, resamples=200)
    assert estimate.value == pytest.approx(0.435, abs=0.005)
    assert estimate.low is not None
    assert estimate.high is not None
    assert 0.37 < estimate.low < 0.435 < estimate.high < 0.50


def test_the_same_seed_gives_the_same_interval() -> None:
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert bootstrapped(kappa, pairs, 3, 100) == bootstrapped(kappa, pairs, 3, 100)
    assert bootstrapped(kappa, pairs, 3, 100) != bootstrapped(kappa, pairs, 4, 100)
