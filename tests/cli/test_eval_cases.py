"""`tidegate eval cases`."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.stores.said import captured

from tidegate.control.shapes_captured import IncidentPage
from tidegate.core.notice import Notice
from tidegate.evals.load import load_suites
from tidegate.stores.incident_captures import Hurt

Run = Callable[..., Result]
NOTICE = Notice("n-1", "burn/chat/ttft", "burn", "page", "It burns", "text", 1.0, "chat")
BAD, ODD, GOOD = captured(number=1), captured(number=2, messages="[]"), captured(number=3)


def pages(control: FakeControl) -> None:
    control.answers["GET /api/captured/incident"] = [
        IncidentPage(NOTICE, [Hurt(BAD, "refusal"), Hurt(ODD, "cut")], 2),
        IncidentPage(NOTICE, [Hurt(GOOD, None)], None),
    ]


def test_an_incident_becomes_cases_that_name_it(
    control: FakeControl, run: Run, tmp_path: Path
) -> None:
    pages(control)
    words = ("--incident", "burn/chat/ttft", "--before", "2h", "--check", "refusal")
    shown = run("eval", "cases", *words, "-o", str(tmp_path / "incident.jsonl"))
    assert shown.exit_code == 0, shown.output
    assert "left out 1: it asks nothing" in shown.stderr
    assert "2 written" in shown.stderr
    assert dict(control.asked[1].url.params) == {
        "notice": "burn/chat/ttft", "before_s": "7200.0", "beyond": "2",
    }  # fmt: skip
    (tmp_path / "s.yaml").write_text("cases_from: [incident.jsonl]\n")
    [suite] = load_suites(tmp_path / "s.yaml").suites
    first, second = suite.cases
    assert first.strata == {"route": "chat", "incident": "n-1", "harm": "refusal"}
    assert second.strata == {"route": "chat", "incident": "n-1"}


def test_only_bad_ones_or_so_many(control: FakeControl, run: Run) -> None:
    for words in (("--only-bad",), ("-n", "1")):
        pages(control)
        shown = run("eval", "cases", "--incident", "n-1", *words)
        [case] = [msgspec.json.decode(line) for line in shown.stdout.splitlines()]
        assert case["id"] == BAD.receipt_id
