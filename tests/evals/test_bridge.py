"""From one judge's figures to another's."""

import pytest

from tidegate.evals.bridge import bridged


def test_what_a_later_judge_gives_more_to_the_same_answers() -> None:
    old = {f"a{n}": float(n < 40) for n in range(100)} | {"gone": 1.0}
    new = {f"a{n}": float(n < 50) for n in range(100)} | {"late": 1.0}
    found = bridged("old", "m-1", old, new)
    assert found is not None
    assert (found.before, found.model, found.anchors, found.agreed) == ("old", "m-1", 100, 0.9)
    mean, low, high = found.shift
    assert mean == pytest.approx(0.1)
    assert 0.04 < low < mean < high < 0.16
    assert found.factor == pytest.approx(1.25)
    assert found.kappa == pytest.approx(0.8, abs=0.02)


def test_one_anchor_bridges_nothing_and_nothing_has_no_factor() -> None:
    assert bridged("old", "m", {"a": 1.0, "b": 1.0}, {"a": 1.0}) is None
    found = bridged("old", "m", {"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 0.0})
    assert found is not None
    assert found.factor is None
