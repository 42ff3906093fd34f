"""`tidegate loop`."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from tests.cli.conftest import FakeControl

PROPOSAL = {"what": "hold release_weight of chat at 0.05", "why": "chat/next: step 2 of 5"}


def status(**given: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "leads": True,
        "dry_run": False,
        "tick_s": 10.0,
        "lease_s": 30.0,
        "at_s": 1_790_000_000.0,
        "took_s": 0.012,
        "epoch": 3,
        "active_s": 86_400.0,
        "problem": None,
        "subjects": [{"controller": "release", "subject": "chat/next", "proposals": [PROPOSAL]}],
    }
    return {**plain, **given}


def decision(same: bool | None, why: str = "") -> dict[str, Any]:
    return {
        "seq": 7,
        "controller": "release",
        "subject": "chat/next",
        "at_s": 1_790_000_000.0,
        "epoch": 3,
        "same": same,
        "why": why,
        "proposals": [PROPOSAL],
    }


def test_the_loop_is_shown_with_what_it_wants(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/loop"] = status()
    told = run("loop", "status").output
    assert "This control leads. Leadership 3." in told
    assert "took 12 ms" in told
    assert "hold release_weight of chat at 0.05" in told


def test_a_dry_run_says_that_nothing_is_done(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/loop"] = status(dry_run=True, epoch=None)
    assert "does nothing of what it shows" in run("loop", "status").output


def test_a_tick_that_failed_says_why(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["GET /api/loop"] = status(problem="the database cannot be used", at_s=None)
    result = run("loop", "status")
    assert "the database cannot be used" in result.output
    assert "Last tick never" in result.output


def test_a_replay_that_differs_ends_with_a_status(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/loop/replay"] = {"decisions": [decision(True)]}
    result = run("loop", "replay", "chat/next")
    assert (result.exit_code, "same" in result.output) == (0, True)
    unknown = {"decisions": [decision(None, "blocks 1 to 2 are not kept any more")]}
    control.answers["GET /api/loop/replay"] = unknown
    assert run("loop", "replay").exit_code == 0
    control.answers["GET /api/loop/replay"] = {"decisions": [decision(False, "it came to x")]}
    result = run("loop", "replay", "--decision", "7")
    assert (result.exit_code, "DIFFERENT" in result.output) == (1, True)
