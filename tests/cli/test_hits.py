"""Kept answers in `tidegate quality show`, in front of a control."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.control.shapes_hits import HitShare, HitsView, HitView, TierView
from tidegate.control.shapes_quality import QualityView
from tidegate.stores.assessments import Ungraded
from tidegate.stores.captured_hits import Stratum
from tidegate.stores.judged_hits import FoundHits

Run = Callable[..., Result]


def test_kept_answers_are_shown_apart_by_tier_and_bin(control: FakeControl, run: Run) -> None:
    given = Stratum("semantic", 92, given=True, vetoed=False)
    vetoed = Stratum("semantic", 98, given=False, vetoed=True)
    thumbs = FoundHits("chat", given, "thumbs_down", 0, 4, 1, 0, 0, 0)
    rows = [
        HitView(FoundHits("chat", given, "quality", 9, 4, 1, 1, 2_000_000_000, 1), None),
        HitView(FoundHits("chat", vetoed, "quality", 2, 0, 0, 0, 0, 0), None),
    ]
    tier = TierView("semantic", True, 9, 4, HitShare(0.25, 0.05, 0.7, 0.5))
    hits = HitsView(True, Ungraded("chat", 5.0, "no\x1bverdicts"), [tier], rows, [thumbs])
    chat = QualityView("chat", True, None, None, [], [], hits)
    quiet = QualityView("quiet", True, None, None, [], [], HitsView(True, None, [], [], []))
    control.answers["GET /api/quality"] = {"quality": [chat, quiet]}
    shown = run("quality", "show")
    assert shown.exit_code == 0, shown.output
    whole = "kept answers, semantic given: bad 25.0% (5.0% to 70.0%), 4 of 9 judged, known of 50%"
    assert whole in shown.output
    assert "kept answers NOT JUDGED as declared since 1970-01-01 00:00:05Z" in shown.output
    assert "0.92 to 0.94" in shown.output and "2.0000 and 1 unknown" in shown.output
    assert "vetoed" in shown.output and "1 (25.0%)" in shown.output
    assert "kept answers: none was captured" in shown.output
    assert "\x1b" not in shown.output
