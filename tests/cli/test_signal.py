"""`tidegate signal`."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

from tidegate.cli import signal

SERIES: dict[str, Any] = {
    "name": "ttft_p95_s",
    "unit": "s",
    "scope": "chat\u001b[2J",
    "step_s": 60.0,
    "points": [[0.0, 0.5], [60.0, None], [120.0, 2.0]],
}
UNKNOWN = {**SERIES, "name": "validity", "unit": "share", "scope": "", "points": [[0.0, None]]}


def test_signals_are_listed(control: FakeControl, run: Callable[..., Result]) -> None:
    known = {"name": "ttft_p95_s", "unit": "s", "of": "receipts", "meaning": "to the first token"}
    control.answers["GET /api/signals"] = {"signals": [known], "newest_minute_s": 60}
    result = run("signal", "ls")
    assert result.exit_code == 0, result.output
    assert "ttft_p95_s  s     receipts  to the first token" in result.output
    assert "newest minute of requests: 1970-01-01 00:01:00Z" in result.output
    control.answers["GET /api/signals"] = {"signals": [], "newest_minute_s": None}
    assert "none yet" in run("signal", "ls").output


def test_a_window_is_one_line_a_series(control: FakeControl, run: Callable[..., Result]) -> None:
    control.answers["GET /api/signals/series"] = {"series": [SERIES, UNKNOWN]}
    words = ("signal", "show", "ttft_p95_s", "validity", "--since", "2h", "--route", "chat")
    result = run(*words, "--apart", "route")
    assert result.exit_code == 0, result.output
    _, first, second = result.output.splitlines()
    assert first.split() == ["ttft_p95_s", "chat?[2J", "2", "0.5", "2", "s", "▃·█"]
    assert second.split() == ["validity", "everything", "-", "-", "-", "share", "·"]
    assert dict(control.asked[0].url.params) == {
        "names": "ttft_p95_s,validity",
        "since_s": "7200.0",
        "route": "chat",
        "apart": "route",
    }


def test_every_point_is_shown_on_request(control: FakeControl, run: Callable[..., Result]) -> None:
    control.answers["GET /api/signals/series"] = {"series": [SERIES]}
    output = run("signal", "show", "--points").output
    assert "ttft_p95_s chat?[2J, steps of 60 s" in output
    assert "1970-01-01 00:01:00Z  -" in output
    assert "1970-01-01 00:02:00Z  2" in output


def test_nothing_known_is_said(control: FakeControl, run: Callable[..., Result]) -> None:
    control.answers["GET /api/signals/series"] = {"series": []}
    assert "nothing is known" in run("signal", "show").output
    assert "nothing is known" in run("signal", "watch", "--looks", "1").output


def test_a_wrong_name_is_told_as_control_tells_it(
    control: FakeControl, run: Callable[..., Result]
) -> None:
    control.answers["GET /api/signals/series"] = refusal(400, "invalid_request", "There is no x.")
    result = run("signal", "show", "x")
    assert result.exit_code == 1
    assert "There is no x." in result.output


def test_the_newest_is_watched(
    control: FakeControl, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(signal.time, "sleep", slept.append)
    control.answers["GET /api/signals/series"] = [{"series": [SERIES]}, {"series": [UNKNOWN]}]
    result = run("signal", "watch", "--looks", "2", "--target", "small")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "1970-01-01 00:02:00Z  ttft_p95_s chat?[2J  2 s",
        "-  validity  - share",
    ]
    assert slept == [10.0]
    assert control.asked[0].url.params["target"] == "small"


def test_whose_requests_they_were(control: FakeControl, run: Callable[..., Result]) -> None:
    share = {"name": "acme\u001b", "requests": 3, "failed": 1, "cost_nanousd": 2_500_000_000}
    control.answers["GET /api/signals/top"] = {"since_s": 60, "shares": [share]}
    output = run("signal", "top", "--by", "customer", "--route", "chat").output
    assert "since 1970-01-01 00:01:00Z" in output
    assert "acme?     3         1       $2.5" in output
    assert "$" not in run("signal", "top", "--by", "error").output


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([None], "·"),
        ([0.0, 0.0], "▁▁"),
        ([1.0, 8.0], "▂█"),
        ([None, 3.0, None, None], "█·"),
    ],
)
def test_a_picture_is_of_the_greatest_values(values: list[float | None], drawn: str) -> None:
    assert signal.picture(values, cells=2) == drawn
