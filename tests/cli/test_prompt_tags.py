"""`tidegate prompt status` and `tag`."""

from collections.abc import Callable
from typing import Any

import msgspec
from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

FLIP: dict[str, Any] = {
    "seq": 1,
    "id": "f1",
    "prompt": "support",
    "tag": "stable",
    "version": "v2",
    "base": "v1",
    "author": "operator:ana",
    "reason": "it is better\u001b[2J",
    "at_s": 0.0,
}
TAG = {"tag": "stable", "version": "v2", "digest": "d", "declared": "v1", "flip": FLIP}
SHOWN: dict[str, Any] = {
    "repository": "/srv/prompts",
    "ref": "main",
    "commit": "0123456789abcdef",
    "prompts": [
        {"name": "support", "versions": ["v1", "v2"], "tags": [TAG], "routes": {"chat": "v2"}},
        {"name": "draft", "versions": ["v1"], "tags": [], "routes": {}},
    ],
    "problems": [],
}


def test_where_tags_point_is_shown_and_who_moved_them(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/prompts"] = SHOWN
    told = run("prompt", "status")
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert "v2" in lines[1] and "by ana: it is better" in lines[1] and "chat" in lines[1]
    assert "\u001b" not in told.output
    assert lines[2].startswith("draft")
    assert "commit 0123456789ab" in told.output


def test_what_is_wrong_is_an_exit_status(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["GET /api/prompts"] = {**SHOWN, "problems": ["v3.jinja2:1:1: broken"]}
    told = run("prompt", "status")
    assert told.exit_code == 1
    assert "error: v3.jinja2:1:1: broken" in told.output
    control.answers["GET /api/prompts"] = {**SHOWN, "repository": None, "prompts": []}
    assert "does not say" in run("prompt", "status").output


def test_a_tag_is_moved_with_a_reason(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /api/prompts/support/tags/stable"] = {"flip": FLIP, "waiting_for": []}
    told = run("prompt", "tag", "support", "stable", "v2", "--reason", "better")
    assert told.exit_code == 0, told.output
    assert "support: stable points at v2 (f1); tags.yaml says v1" in told.output
    assert msgspec.json.decode(control.asked[0].content) == {"version": "v2", "reason": "better"}


def test_gateways_that_lag_behind_are_named(
    run: Callable[..., Result], control: FakeControl
) -> None:
    gone = {"flip": {**FLIP, "version": None}, "waiting_for": ["gateway-1"]}
    control.answers["POST /api/prompts/support/tags/canary"] = gone
    told = run("prompt", "tag", "support", "canary", "--remove", "--reason", "done")
    assert told.exit_code == 1
    assert "canary is gone" in told.output and "gateway-1" in told.output


def test_a_version_or_its_removal_is_said(run: Callable[..., Result], control: FakeControl) -> None:
    assert run("prompt", "tag", "support", "stable", "--reason", "x").exit_code == 2
    assert (
        run("prompt", "tag", "support", "stable", "v1", "--remove", "--reason", "x").exit_code == 2
    )
    refused = refusal(409, "uncertified", "no gate was passed")
    control.answers["POST /api/prompts/support/tags/stable"] = refused
    told = run("prompt", "tag", "support", "stable", "v1", "--reason", "x")
    assert told.exit_code != 0 and "no gate was passed" in told.output
