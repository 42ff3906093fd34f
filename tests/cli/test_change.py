"""`tidegate change`."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

VIEW: dict[str, Any] = {
    "id": "0199-ab",
    "lever": "target_off",
    "scope": "small\u001b[2J",
    "value": 1.0,
    "state": "in force",
    "reason": "it fails",
    "author": "operator:ann",
    "from_s": 0.0,
    "until_s": 600.0,
    "lease_s": None,
    "remaining_s": 540.0,
    "epoch": 2,
    "approvals": 0,
    "approved_by": [],
    "ended_at_s": None,
    "ended_by": None,
    "ended_why": None,
    "evidence": [],
}
SEEN = [
    {
        "name": "error_share",
        "unit": "share",
        "scope": "chat",
        "window_s": 60.0,
        "reading": {"type": "value", "value": 0.25},
    },
    {
        "name": "ttft",
        "unit": "s",
        "scope": "chat",
        "window_s": 60.0,
        "reading": {"type": "no_data", "why": "no_traffic"},
    },
]


def test_what_is_held_is_listed(control: FakeControl, run: Callable[..., Result]) -> None:
    lease = {**VIEW, "until_s": None, "lease_s": 60.0, "remaining_s": 0.0, "state": "lapsed"}
    told = {"changes": [VIEW, lease], "epoch": 2, "renewed_at_s": 0.0}
    control.answers["GET /api/changes"] = told
    result = run("change", "list", "--ended", "--limit", "5")
    assert result.exit_code == 0, result.output
    assert "0199-ab  target_off  small?[2J  1" in result.output
    assert "in force  9m" in result.output
    assert dict(control.asked[0].url.params) == {"ended": "true", "limit": "5"}
    control.answers["GET /api/changes"] = {**told, "changes": []}
    assert "No change is in force" in run("change", "list").output


def test_one_is_shown_with_its_evidence(control: FakeControl, run: Callable[..., Result]) -> None:
    ended = {"ended_at_s": 60.0, "ended_by": "controller:x", "ended_why": "let go"}
    shown = {**VIEW, **ended, "state": "ended", "remaining_s": 0.0, "evidence": SEEN}
    control.answers["GET /api/changes/0199-ab"] = {**shown, "approvals": 1, "approved_by": ["bob"]}
    result = run("change", "show", "0199-ab")
    assert result.exit_code == 0, result.output
    for words in ("1970-01-01 00:10:00Z", "by bob; 1 wanted", "let go", "0.25 share", "no_traffic"):
        assert words in result.output
    assert run("change", "show", "../keys").exit_code == 2


def test_a_lever_is_set_for_a_while(control: FakeControl, run: Callable[..., Result]) -> None:
    control.answers["POST /api/changes"] = {"change": VIEW, "waiting_for": ["gateway-1"]}
    words = ("change", "set", "target_off", "small", "--for", "10m", "--reason", "it fails")
    result = run(*words, "--anyway")
    assert result.exit_code == 0, result.output
    assert "change 0199-ab, in force" in result.output
    assert "Not yet obeyed by gateway-1" in result.output
    assert control.bodies() == [
        {
            "lever": "target_off",
            "value": 1.0,
            "for_s": 600.0,
            "reason": "it fails",
            "scope": "small",
            "anyway": True,
        }
    ]
    assert run("change", "set", "target_off", "small", "--for", "10m").exit_code == 2, "no reason"
    assert run("change", "set", "target_off", "small", "--reason", "x").exit_code == 2, "no end"


def test_one_may_begin_later(control: FakeControl, run: Callable[..., Result]) -> None:
    later = {**VIEW, "state": "scheduled", "from_s": 3600.0, "until_s": 4200.0, "remaining_s": 0.0}
    control.answers["POST /api/changes"] = [{"change": later}, {"change": later}]
    words = ("--for", "10m", "--at", "1970-01-01T01:00Z", "--reason", "a move")
    said = run("change", "set", "target_off", "small", *words).output
    assert "It holds from 1970-01-01 01:00:00Z until 1970-01-01 01:10:00Z." in said
    run("change", "freeze", *words)
    bodies: list[Any] = control.bodies()
    assert [body["at_s"] for body in bodies] == [3600.0, 3600.0]
    told = {"changes": [later], "epoch": 0, "renewed_at_s": 0.0}
    control.answers["GET /api/changes"] = told
    assert "scheduled  10m from 1970-01-01 01:00:00Z" in run("change", "list").output
    assert run("change", "freeze", *words[:-3], "soon", *words[-2:]).exit_code == 2


def test_what_waits_says_how_it_is_approved(
    control: FakeControl, run: Callable[..., Result]
) -> None:
    waiting = {**VIEW, "state": "waiting", "approvals": 2, "approved_by": ["bob"]}
    control.answers["POST /api/changes"] = {"change": waiting}
    control.answers["POST /api/changes/0199-ab/approve"] = {"change": VIEW}
    words = ("change", "set", "shed_rank", "--to", "1", "--for", "1h", "--reason", "x")
    assert "tidegate change approve 0199-ab" in run(*words, "--approvals", "2").output
    assert "in force" in run("change", "approve", "0199-ab").output


def test_everything_is_frozen_unless_a_route_is_named(
    control: FakeControl, run: Callable[..., Result]
) -> None:
    control.answers["POST /api/changes"] = [{"change": VIEW}, {"change": VIEW}]
    run("change", "freeze", "--for", "2d", "--reason", "holidays")
    run("change", "freeze", "chat", "--for", "2d", "--reason", "holidays")
    bodies: list[Any] = control.bodies()
    assert [(body["lever"], body["scope"]) for body in bodies] == [
        ("frozen", "*"),
        ("frozen", "chat"),
    ]


def test_a_no_is_told_as_it_came(control: FakeControl, run: Callable[..., Result]) -> None:
    control.answers["POST /api/changes/0199-ab/end"] = refusal(404, "not_found", "It has ended.")
    result = run("change", "end", "0199-ab")
    assert (result.exit_code, "It has ended." in result.output) == (1, True)


def test_every_lever_is_listed_without_control(run: Callable[..., Result]) -> None:
    result = run("change", "levers")
    assert result.exit_code == 0
    rows = [line.split() for line in result.output.splitlines()]
    assert ["release_weight", "dial", "route"] in [row[:3] for row in rows]
