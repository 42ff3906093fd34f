"""`tidegate release`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

NOON_S = 1_790_000_000.0


def view(**given: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "chat/next",
        "route": "chat",
        "owner": "ada",
        "why": "cheaper",
        "state": "analysing",
        "step": 1,
        "steps": 5,
        "weight": 0.05,
        "reason": "212 requests of 208 units were seen",
        "since_s": NOON_S,
        "created_at_s": NOON_S,
        "ended_at_s": None,
        "waits_for": [],
        "problem": None,
        "requests": 260,
        "units": 240,
        "requests_per_s": 0.05,
    }
    return {**plain, **given}


METRIC = {
    "name": "error",
    "verdict": "undecided",
    "effect": "+0.4 points (-1.0 to +1.9)",
    "canary": 260,
    "stable": 4900,
    "by_unit": False,
    "margin": "2 points",
    "needed": 180,
    "needed_s": 3600.0,
    "smallest": "1.6 points",
}


def explained(**given: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "release": view(),
        "metrics": [METRIC],
        "time_line": [{"at_s": NOON_S, "state": "rolled_back", "step": 1, "why": "it was rude"}],
        "asked": [
            {
                "at_s": NOON_S,
                "who": "ada",
                "what": "rollback",
                "reason": "rude\u001b[31m",
                "gate": None,
            }
        ],
        "members": {"target": '"new"'},
        "runtime": {"quantisation": "fp8"},
        "cached_shares": [0.5, 0.25],
        "ratio_broken": False,
        "notes": ["error: this canary cannot see an effect below 1.6 points"],
    }
    return {**plain, **given}


def test_releases_are_listed_with_where_they_stand(
    run: Callable[..., Result], control: FakeControl
) -> None:
    waiting = view(id="chat/other", waits_for=["the route is frozen"])
    control.answers["GET /api/releases"] = {"releases": [view(), waiting], "looked_at_s": NOON_S}
    result = run("release", "list")
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0] == "RELEASE STATE STEP WEIGHT REQUESTS UNITS SINCE WHY"
    assert lines[1].startswith("chat/next analysing 2 of 5 5 % 260 240 2026-09-21 14:13:20Z 212")
    assert lines[2].endswith("the route is frozen")


def test_a_loop_that_has_not_looked_is_said(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/releases"] = {"releases": [], "looked_at_s": None}
    assert "has not looked" in run("release", "status").output


def test_a_status_says_what_is_still_needed_how_long_that_takes_and_what_cannot_be_seen(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/releases/explain"] = explained()
    told = " ".join(run("release", "status", "chat/next").output.split())
    assert "180 requests, 60 min" in told
    assert "below 1.6 points" in told
    assert "this canary cannot see an effect below 1.6 points" in told
    assert "180 an hour now" in told


def test_what_is_found_afterwards_is_counted_in_answers_and_not_in_requests(
    run: Callable[..., Result], control: FakeControl
) -> None:
    answer = explained()
    judged = {"name": "quality", "counted": "judged answers", "must_be_safe": False}
    answer["metrics"] = [{**answer["metrics"][0], **judged}]
    control.answers["GET /api/releases/explain"] = answer
    told = " ".join(run("release", "status", "chat/next").output.split())
    assert "180 judged answers, 60 min" in told
    assert "judged answers 180" in told
    assert "requests," not in told.partition("METRIC")[2]


def test_an_explanation_has_everything_and_steers_no_terminal(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/releases/explain"] = explained(ratio_broken=True)
    result = run("release", "explain", "chat/next")
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert 'target "new"' in told
    assert "runtime.quantisation fp8" in told
    assert "25 % of the candidate's answers, 50 % of the others'" in told
    assert "nothing of this counts" in told
    assert "rolled back 2 it was rude" in told
    assert "\x1b" not in result.output


@pytest.mark.parametrize("what", ["start", "approve", "pause", "resume"])
def test_a_wish_is_sent(run: Callable[..., Result], control: FakeControl, what: str) -> None:
    control.answers["POST /api/releases/ask"] = {"id": "chat/next", "what": what, "seq": 1}
    result = run("release", what, "chat/next")
    assert result.exit_code == 0, result.output
    assert control.bodies() == [{"id": "chat/next", "what": what}]


@pytest.mark.parametrize("what", ["rollback", "skip-analysis"])
def test_what_needs_a_reason_is_not_sent_without(
    run: Callable[..., Result], control: FakeControl, what: str
) -> None:
    named = what.replace("-", "_")
    control.answers["POST /api/releases/ask"] = {"id": "chat/next", "what": named, "seq": 1}
    assert run("release", what, "chat/next").exit_code == 2
    assert control.asked == []
    assert run("release", what, "chat/next", "--reason", "rude").exit_code == 0
    assert control.bodies() == [{"id": "chat/next", "what": named, "reason": "rude"}]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"is_done": True}, "every gateway obeys"),
        ({"is_done": True, "waiting_for": ["g1"]}, "Not yet obeyed by g1"),
        ({"is_done": False}, "tidegate change set release_off chat"),
    ],
)
def test_a_rollback_says_how_far_it_is(
    run: Callable[..., Result], control: FakeControl, outcome: dict[str, Any], said: str
) -> None:
    asked = {"id": "chat/next", "what": "rollback", "seq": 1, **outcome}
    control.answers["POST /api/releases/ask"] = asked
    result = run("release", "rollback", "chat/next", "--reason", "rude")
    assert result.exit_code == 0
    assert said in result.output


def test_a_gate_is_told(run: Callable[..., Result], control: FakeControl) -> None:
    asked = {"id": "chat/next", "what": "gate_failed", "seq": 1}
    control.answers["POST /api/releases/ask"] = asked
    assert run("release", "gate", "chat/next", "evals", "failed").exit_code == 0
    assert control.bodies() == [{"id": "chat/next", "what": "gate_failed", "gate": "evals"}]


def test_a_file_that_is_refused_is_told_line_by_line(
    run: Callable[..., Result], control: FakeControl
) -> None:
    problems = ["releases/chat/next.yaml:2:9: there is no target nobody"]
    control.answers["POST /api/releases"] = refusal(
        422, "plan_refused", "Release chat/next is refused.", problems=problems
    )
    result = run("release", "create", "chat/next")
    assert result.exit_code == 1
    assert problems[0] in result.output


def test_a_release_is_created(run: Callable[..., Result], control: FakeControl) -> None:
    notes = ["gate certificate: support@v4 at m-1"]
    made = {"id": "chat/next", "is_new": True, "notes": notes}
    control.answers["POST /api/releases"] = made
    said = run("release", "create", "chat/next").output
    assert "tidegate release start chat/next" in said and notes[0] in said
    control.answers["POST /api/releases"] = {"id": "chat/next", "is_new": False}
    assert "says the same" in run("release", "create", "chat/next").output
