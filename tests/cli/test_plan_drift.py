"""`tidegate plan drift` and `write-back`."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.cli.test_change import VIEW

MOVED = {
    "route": "chat",
    "member": "target",
    "file": '"small"',
    "served": '"large"',
    "kind": "promote",
    "rollout": "chat/v2",
    "author": "controller:release",
    "reason": "safe\u001b[2J",
    "at_s": 0.0,
}
OVERTAKEN = {"route": "chat", "kind": "set", "rollout": None, "why": "the file says", "at_s": 0.0}
NONE = {"file": "/etc/tidegate.yaml", "moved": [], "overtaken": [], "changes": []}


def test_drift_is_told_with_who_and_why(control: FakeControl, run: Callable[..., Result]) -> None:
    told = {**NONE, "moved": [MOVED], "overtaken": [OVERTAKEN], "changes": [VIEW]}
    control.answers["GET /api/plan/drift"] = told
    result = run("plan", "drift")
    assert result.exit_code == 1
    for words in (
        'routes.chat.target  "small"        "large"  promote chat/v2',
        "safe?[2J",
        "set chat of 1970-01-01 00:00:00Z says nothing any more: the file says",
        "target_off  small?[2J  1   operator:ann  it fails",
    ):
        assert words in result.output


def test_where_there_is_none_it_says_so(control: FakeControl, run: Callable[..., Result]) -> None:
    control.answers["GET /api/plan/drift"] = NONE
    result = run("plan", "drift")
    assert (result.exit_code, "is what /etc/tidegate.yaml says" in result.output) == (0, True)


def test_the_patch_alone_goes_to_standard_output(
    control: FakeControl, run: Callable[..., Result]
) -> None:
    patch = "--- a\n+++ a\n"
    control.answers["GET /api/plan/write-back"] = [
        {"patch": patch, "by_hand": []},
        {"patch": patch, "by_hand": ["routes.same.target"]},
        {"patch": "", "by_hand": []},
    ]
    result = run("plan", "write-back")
    assert (result.exit_code, result.stdout, result.stderr) == (0, patch, "")
    result = run("plan", "write-back")
    assert (result.exit_code, result.stdout) == (2, patch)
    assert "routes.same.target has to be written by hand" in result.stderr
    result = run("plan", "write-back")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing is to be written back" in result.stderr
