"""`tidegate feedback` in front of a control."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.stores.feedback import Heard, Rate

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
    rates = [Rate("chat", "stable", "v1", 4, 1, 0), Rate("chat", "canary", "v2", 0, 0, 2)]
    control.answers["GET /api/feedback/rates"] = {"rates": rates}
    shown = run("feedback", "rates", "--since", "1d")
    assert "1 (25.0%)" in shown.output and "unknown" in shown.output
