"""`tidegate capture` in front of a control."""

from collections.abc import Callable

import msgspec
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.stores.said import captured

from tidegate.control.shapes_captured import CapturedPage, CapturedRow
from tidegate.core.capture import Kept

Run = Callable[..., Result]
ROW = CapturedRow("r1", 1.0, 2.0, "chat\x1b[2J", 30, 5, "production", cut=True, redacted={"ip": 2})


def test_the_list_says_what_was_taken_out_and_steers_no_terminal(
    control: FakeControl, run: Run
) -> None:
    control.answers["GET /api/captured"] = {"captured": [ROW]}
    shown = run("capture", "list", "--rated", "down", "--since", "7d")
    assert shown.exit_code == 0, shown.output
    assert "chat?[2J" in shown.output and "2 ip" in shown.output and "5 cut" in shown.output
    assert dict(control.asked[0].url.params) == {
        "rated": "down",
        "since_s": "604800.0",
        "limit": "20",
    }


def test_one_is_shown_with_what_was_said(control: FakeControl, run: Run) -> None:
    made = captured(answer="so\x07\nit is", calls=(("find", "{}"),))
    control.answers[f"GET /api/captured/{made.receipt_id}"] = made
    shown = run("capture", "show", made.receipt_id)
    assert shown.output == "user:\nhi\n\nanswer:\nso?\nit is\n\ncalls find:\n{}\n"
    assert run("capture", "show", "../keys").exit_code == 2


def test_what_was_kept_is_told_with_the_question_that_it_was_first_given_for(
    control: FakeControl, run: Run
) -> None:
    near = {"cache_tier": "semantic", "cache_from": "r1", "cache_score": 0.91}
    given = captured(cache="hit", kept=Kept("How\x07?"), **near)
    control.answers[f"GET /api/captured/{given.receipt_id}"] = given
    shown = run("capture", "show", given.receipt_id).output
    assert "The answer was given from the semantic cache, of r1, cosine 0.9100." in shown
    assert "kept question:\nHow??\n" in shown and "kept answer" not in shown
    held = captured(cache="miss", cache_veto="numbers", kept=Kept("How?", "So."), **near)
    control.answers[f"GET /api/captured/{held.receipt_id}"] = held
    shown = run("capture", "show", held.receipt_id).output
    assert "kept answer (semantic cache, of r1, cosine 0.9100; held back: numbers):\nSo." in shown
    assert "was given" not in shown


def test_an_export_goes_on_to_the_end(control: FakeControl, run: Run) -> None:
    first, second = captured(number=2), captured(number=1)
    control.answers["GET /api/captured/export"] = [
        CapturedPage([first], first.receipt_id),
        CapturedPage([second], None),
    ]
    shown = run("capture", "export", "--route", "chat")
    lines = [msgspec.json.decode(line) for line in shown.stdout.splitlines()]
    assert [it["receipt_id"] for it in lines] == [first.receipt_id, second.receipt_id]
    assert control.asked[1].url.params["before_id"] == first.receipt_id


def test_cases_are_written_and_what_is_none_is_counted(control: FakeControl, run: Run) -> None:
    page = CapturedPage([captured(), captured(messages="[]")], None)
    control.answers["GET /api/captured/export"] = page
    shown = run("capture", "export", "--as", "cases", "--expected", "--check", "exact")
    [case] = [msgspec.json.decode(line) for line in shown.stdout.splitlines()]
    assert case["turns"] == [{"user": "hi"}]
    assert (case["expected"], case["checks"]) == ("hello", ["exact"])
    assert "left out 1: it asks nothing" in shown.stderr
    assert "1 written" in shown.stderr
    assert run("capture", "export", "--expected").exit_code == 2


def test_a_deletion_says_whose_and_is_asked_for(control: FakeControl, run: Run) -> None:
    control.answers["POST /api/captured/delete"] = {"captured": 3, "feedback": 1}
    assert run("capture", "delete", "--yes").exit_code == 2
    assert run("capture", "delete", "--customer", "acme").exit_code == 1  # nobody said yes
    assert control.asked == []
    shown = run("capture", "delete", "--customer", "acme", "--yes")
    assert "3 captured requests" in shown.output
    run("capture", "delete", "--before", "2026-03-01T12:00Z", "--yes")
    assert control.bodies() == [{"customer": "acme"}, {"before_s": 1772366400.0}]
