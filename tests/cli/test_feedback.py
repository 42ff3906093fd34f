"""`tidegate feedback` in front of a control."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.control.shapes_captured import AbandonedView, FrictionView, RateView
from tidegate.control.shapes_quality import ShareView
from tidegate.stores.feedback import Heard, Rate
from tidegate.stores.friction import Abandoned, Friction

Run = Callable[..., Result]


def test_what_was_said_is_listed_and_steers_no_terminal(control: FakeControl, run: Run) -> None:
    several = [
        Heard("r1", "k", "rating", 1.0, 1.0, rating=-1.0, route="chat", arm="canary"),
        Heard("r2", "k", "comment", 1.0, 1.0, comment="a\x1b[2J" + "x" * 300),
        Heard("r3", "k", "tags", 1.0, 1.0, tags=("tone", "wrong")),
        Heard("r4", "k", "regenerated", 1.0, 1.0),
    ]
    control.answers["GET /api/feedback"] = {"feedback": several}
    shown = run("feedback", "list", "--rated", "down")
    assert shown.exit_code == 0, shown.output
    assert "rated -1" in shown.output and "#tone #wrong" in shown.output
    assert "regenerated" in shown.output and "x..." in shown.output
    assert "\x1b" not in shown.output


def test_a_rate_of_nobody_is_unknown(control: FakeControl, run: Run) -> None:
    rates = [
        RateView(Rate("chat", "stable", "v1", 4, 1, 0), ShareView(0.25, 0.05, 0.7)),
        RateView(Rate("chat", "canary", "v2", 0, 0, 2), None),
    ]
    answer = {"rates": rates, "friction": [], "abandoned": []}
    control.answers["GET /api/feedback/rates"] = answer
    shown = run("feedback", "rates", "--since", "1d")
    assert "1 (25.0%, 5.0% to 70.0%)" in shown.output and "unknown" in shown.output
    assert "FRICTION" not in shown.output


def test_what_the_silent_did_stands_beside(control: FakeControl, run: Run) -> None:
    whose = ("chat", "canary", "v2")
    talked = [FrictionView(Friction(*whose, 8, 2, 1, 20, 3), ShareView(0.25, 0.07, 0.59))]
    left = [
        AbandonedView(Abandoned(*whose, 50, 5, 1.0), ShareView(0.1, 0.04, 0.21)),
        AbandonedView(Abandoned("chat", None, None, 7, 0, 1.0), ShareView(0.0, 0.0, 0.4)),
    ]
    answer = {"rates": [], "friction": talked, "abandoned": left}
    control.answers["GET /api/feedback/rates"] = answer
    shown = run("feedback", "rates").output
    [row] = [line.split("  ") for line in shown.splitlines() if "canary" in line]
    assert [it.strip() for it in row if it] == [
        *whose,
        "8",
        "2 (25.0%, 7.0% to 59.0%)",
        "1",
        "50",
        "5 (10.0%, 4.0% to 21.0%)",
    ]
    [other] = [line for line in shown.splitlines() if "canary" not in line and "chat" in line]
    assert "unknown" in other and "0 (0.0%, 0.0% to 40.0%)" in other
