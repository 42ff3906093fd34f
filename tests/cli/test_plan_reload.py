"""`tidegate plan reload`."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl, refusal


def test_it_says_what_came_of_it_and_who_does_not_obey_yet(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/plan/reload"] = {
        "outcome": "published",
        "version": 3,
        "waiting_for": ["gateway-1"],
    }
    result = run("plan", "reload")
    assert result.exit_code == 0
    assert result.stdout == "published: version 3\n"
    assert result.stderr == "not yet obeyed by gateway-1\n"


def test_a_refused_file_is_refused_with_every_mistake(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/plan/reload"] = refusal(
        422, "plan_refused", "The plan file was refused; version 2 serves on.", problems=["a", "b"]
    )
    result = run("plan", "reload")
    assert result.exit_code == 1
    assert result.stderr == "Error: The plan file was refused; version 2 serves on.\n  a\n  b\n"
