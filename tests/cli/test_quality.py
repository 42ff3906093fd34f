"""`tidegate quality` in front of a control."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.control.shapes_quality import JudgedView, QualityView, ShareView
from tidegate.core.assessment import Assessment
from tidegate.stores.assessments import Assessed, Ungraded
from tidegate.stores.live_answers import Found

Run = Callable[..., Result]


def test_each_arm_is_shown_with_its_interval_and_the_whole_with_what_it_covers(
    control: FakeControl, run: Run
) -> None:
    canary = Found("chat", "canary", "v2", "m\x1b", 10, 4, 1, 1_500_000_000, 2, 1.0, 2.0)
    nobody = Found("chat", "stable", "v1", "m", 0, 0, 3, 0, 0, 1.0, 2.0)
    chat = QualityView(
        "chat",
        True,
        Ungraded("chat", 5.0, "its judge is away"),
        ShareView(0.05, 0.02, 0.11, 0.75),
        [JudgedView(canary, ShareView(0.4, 0.17, 0.69)), JudgedView(nobody, None)],
        [Assessed("chat", "canary", "v2", "thumbs_down", 4, 1, 0)],
    )
    plain = QualityView("plain", False, None, None, [], [])
    control.answers["GET /api/quality"] = {"quality": [chat, plain]}
    shown = run("quality", "show", "--route", "chat", "--since", "1d")
    assert shown.exit_code == 0, shown.output
    assert "chat: bad of all answers 5.0% (2.0% to 11.0%)" in shown.output
    assert "known of 75% of the answers" in shown.output
    assert "NOT GRADED as declared since 1970-01-01 00:00:05Z: its judge is away" in shown.output
    assert "40.0% (17.0% to 69.0%)" in shown.output
    assert "1.5000 and 2 unknown" in shown.output
    assert "1 (25.0%)" in shown.output
    assert "plain: bad of all answers unknown" in shown.output
    assert "\x1b" not in shown.output


def test_no_route_that_asks_for_it_is_said(control: FakeControl, run: Run) -> None:
    control.answers["GET /api/quality"] = {"quality": []}
    assert "no route declares" in run("quality", "show").output


def test_assessments_are_listed_and_what_nobody_knows_is_unknown(
    control: FakeControl, run: Run
) -> None:
    several = [
        Assessment("r1", "quality", True, 1.0, 1.0, 0.25, why="failed judge_rubric", route="chat"),
        Assessment("r2", "quality", None, 1.0, 1.0, why="no verdict\x1b"),
        Assessment("r3", "thumbs_down", False, 1.0, 1.0),
    ]
    control.answers["GET /api/quality/assessments"] = {"assessments": several}
    shown = run("quality", "list", "--bad", "--kind", "quality", "--arm", "canary")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert "bad" in lines[1] and "0.25" in lines[1] and "failed judge_rubric" in lines[1]
    assert "unknown" in lines[2] and "good" in lines[3]
    assert "\x1b" not in shown.output
