"""Which sides a command line means."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.cli.house import lends_keys, written

from tidegate.cli._eval_sides import meant

NOTHING = {"candidate": None, "baseline": None, "route": None, "candidate_route": None,
           "baseline_route": None, "parameter": (), "candidate_parameter": (),
           "baseline_parameter": ()}  # fmt: skip


def test_parameters_are_json_and_what_is_none_is_a_text() -> None:
    before, after = meant({
        **NOTHING, "route": "a", "baseline_route": "b",
        "parameter": ("temperature=0.2", "user=ann"), "candidate_parameter": ("temperature=1",),
    })  # fmt: skip
    assert before.parameters == (("temperature", "0.2"), ("user", '"ann"'))
    assert after.parameters == (("temperature", "1"), ("user", '"ann"'))
    assert (before.route, after.route) == ("b", "a")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--candidate", "v1", "--baseline", "v1"), "both sides are support@v1 at chat"),
        (("--candidate", "v9", "--baseline", "v1"), 'has no version or tag "v9"'),
        (("--candidate", "v2", "--baseline", "v1", "--prompt", "none"), "There is no such"),
    ],
)
def test_sides_that_cannot_be_meant_are_told(
    run: Callable[..., Result], control: FakeControl, tmp_path: Path, words: tuple[str, ...],
    said: str,
) -> None:  # fmt: skip
    lends_keys(control)
    suite = written(tmp_path, 1)
    result = run("eval", "run", str(suite), "--repository", str(tmp_path), *words)
    assert result.exit_code != 0
    assert said in result.output
    assert not any(it.url.path == "/api/keys" for it in control.asked)


def test_two_routes_want_one_to_be_named(
    run: Callable[..., Result], control: FakeControl, tmp_path: Path
) -> None:
    lends_keys(control)
    shown = {"name": "support", "versions": [], "tags": [], "routes": {"a": "v1", "b": "v1"}}
    control.answers["GET /api/prompts/support"] = shown
    suite = written(tmp_path, 1)
    words = ("--repository", str(tmp_path), "--candidate", "v2")
    result = run("eval", "run", str(suite), *words)
    assert result.exit_code == 2
    assert "a, b is asked by the prompt support: say which, with --route" in result.output
