"""Which judged pairs a threshold is learnt of."""

from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.cli import _cache_calibrate
from tidegate.cli._client import Control
from tidegate.cli._judged_pairs import judged_pairs
from tidegate.control.shapes_pairs import PairsPage
from tidegate.control.shapes_thresholds import ThresholdPage, ThresholdSet, ThresholdView
from tidegate.core.judged_hit import compared_by
from tidegate.stats.precision import Scored
from tidegate.stores.judged_hits import JudgedPair
from tidegate.text.veto import VERSION

NOW = "minilm-1 veto 1"


def pair(score: float = 0.9, **fields: Any) -> JudgedPair:
    values = {"compared_by": NOW, "is_same": True, "veto": None, "decides": True}
    return JudgedPair(score=score, given=True, at_s=1.0, **(values | fields))


class Fake(Control):
    """Answers what a test says."""

    def __init__(self, *pairs: JudgedPair) -> None:
        self.pairs = list(pairs)

    def get(self, path: str, shape: Any, **query: Any) -> Any:
        assert (path, shape, query) == (
            "/api/cache/pairs",
            PairsPage,
            {"route": "faq", "since_s": 9.0},
        )
        return PairsPage(self.pairs, 0.95)


def test_only_what_a_calibrated_judge_said_of_what_compares_now_counts() -> None:
    every = [
        pair(0.95),
        pair(0.85, is_same=False),
        pair(0.99, compared_by="other"),
        pair(0.97, decides=False),
        pair(0.98, veto="numbers"),
        pair(0.91, veto="units", is_same=False),
    ]
    found = judged_pairs(Fake(*every), "faq", 9.0, NOW)
    assert found.pairs == [Scored(0.95, True), Scored(0.85, False)]
    assert "of 2 judged ones that the veto holds back 1 are the same" in found.said
    assert "1 were compared by another encoder" in found.said
    assert "1 by a judge that was not calibrated" in found.said


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ((), "nobody has judged any"),
        ((pair(decides=False),), "only inform"),
        ((pair(veto="numbers"),), "holds back all 1"),
        ((pair(compared_by=None),), "another encoder or veto"),
    ],
    ids=["none", "informs", "vetoed", "other"],
)
def test_where_none_count_it_is_said_why_and_what_to_do(
    pairs: tuple[JudgedPair, ...], why: str
) -> None:
    with pytest.raises(click.ClickException, match=why) as told:
        judged_pairs(Fake(*pairs), "faq", 9.0, NOW)
    assert "quality.hits" in told.value.message


class Encoder:
    """Never asked: cosines come with the pairs."""

    name, version, dimensions, fast = "minilm", "minilm-1", 4, True


def judged_of() -> list[JudgedPair]:
    """Near ones are the same; of 100 far ones every fifth is not."""
    by = compared_by(Encoder.version, VERSION)
    far = [pair(0.85, compared_by=by, is_same=n % 5 > 0) for n in range(100)]
    return [pair(0.97, compared_by=by) for _ in range(150)] + far


@pytest.fixture
def calibrated(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> FakeControl:
    monkeypatch.setattr(_cache_calibrate, "open_encoder", lambda _: Encoder())
    view = ThresholdView("faq", "shadow", "minilm", 0.95, None, written=False)
    control.answers["GET /api/cache/thresholds"] = ThresholdPage([view])
    control.answers["GET /api/cache/pairs"] = PairsPage(judged_of(), 0.95)
    control.answers["POST /api/cache/thresholds/faq"] = ThresholdSet(view, [])
    return control


def test_a_threshold_is_learnt_of_judged_traffic_and_obeyed(
    calibrated: FakeControl, run: Callable[..., Result]
) -> None:
    shown = run("cache", "calibrate", "faq", "--judged", "--since", "7d", "--apply")
    assert shown.exit_code == 0, shown.output
    assert "Judged traffic; of 0 judged ones that the veto holds back" in shown.output
    [asked] = [it for it in calibrated.asked if it.url.path == "/api/cache/pairs"]
    assert dict(asked.url.params) == {"route": "faq", "since_s": "604800.0"}
    made: Any = calibrated.bodies()[-1]
    assert (made["threshold"], made["taken"], made["same"]) == (0.97, 150, 150)
    assert (made["pairs"], made["source"]) == (250, "judged traffic")
    assert (made["encoder_version"], made["veto_version"]) == (Encoder.version, VERSION)


def test_where_no_threshold_is_borne_out_the_tier_stays_off(
    calibrated: FakeControl, run: Callable[..., Result]
) -> None:
    calibrated.answers["GET /api/cache/pairs"] = PairsPage(judged_of()[150:], 0.95)
    shown = run("cache", "calibrate", "faq", "--judged", "--apply")
    assert shown.exit_code == 1 and "The tier stays off" in shown.output
    assert not [it for it in calibrated.asked if it.method == "POST"]


@pytest.mark.parametrize("words", [(), ("--judged", "--pairs", "x.jsonl")])
def test_one_source_is_said(run: Callable[..., Result], words: tuple[str, ...]) -> None:
    shown = run("cache", "calibrate", "faq", *words)
    assert shown.exit_code == 2 and "one of --pairs and --judged" in shown.output
