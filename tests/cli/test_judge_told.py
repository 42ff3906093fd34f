"""What control keeps of judges, as it is shown and as gates take it."""

from typing import Any

import msgspec
import pytest
from tests.cli.conftest import FakeControl
from tests.stores.judged import calibrated, look, seat
from tests.stores.rig import NOON_S

from tidegate.cli._client import Control
from tidegate.cli._judge_told import kept, tell
from tidegate.control.shapes_judges import JudgeList, JudgeView, SeatView
from tidegate.evals.bridge import Bridge
from tidegate.evals.calibration import Calibration
from tidegate.stats.agreement import Estimate

SEAT = SeatView.of(seat(judge="d" * 64, problem="it is away: no_target", to_ask=7))


def figures(judge: str, kappa: float = 0.75) -> str:
    estimate = Estimate(kappa, kappa - 0.1, kappa + 0.1)
    nobody = Estimate(None, None, None)
    made = Calibration(judge, "m-1", 200, "e", 1, estimate, nobody, nobody, 0, None, None, True)
    return msgspec.json.encode(made).decode()


def view(judge: str = "d" * 64, **fields: Any) -> JudgeView:
    row = calibrated(judge, **{"figures": figures(judge), **fields})
    return JudgeView.of(row, [look(2959, agreed=40, is_over=True), look()], NOON_S)


def test_each_is_shown_with_its_looks(capsys: pytest.CaptureFixture[str]) -> None:
    over = msgspec.json.encode(
        Bridge("c" * 64, "m-0", 200, 0.9, 0.8, (0.03, -0.01, 0.07), 1.06)
    ).decode()
    known = {"reference": 0.16, "sum_limit": 11.25, "sum_now": 3.5, "bridge": over}
    drifts = view("b" * 64, alarm_since_s=NOON_S, alarm="it fell", kappa=None)
    tell(JudgeList([view(**known), drifts, view("a" * 64, is_calibrated=False)], [SEAT]))
    out, told = capsys.readouterr()
    assert (
        "referee  kindness  chat  dddddddddddd  m-1    -      7       it is away: no_target" in out
    )
    assert "0.75 (0.66 to 0.84)" in out
    assert "44/50 40/50!  3.5 of 11.25  may decide" in out
    assert "only informs" in out and "unknown" in out
    assert "dddddddddddd gives +3.0 points (-1.0 to +7.0) more than cccccccccccc" in out
    assert told.startswith("bbbbbbbbbbbb drifts since ") and told.endswith(": it fell\n")


def test_where_there_is_none_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    tell(JudgeList([], []))
    assert "tidegate judge calibrate" in capsys.readouterr().out


def test_gates_take_those_that_may_decide_and_whose_figures_say_so(
    control: FakeControl, capsys: pytest.CaptureFixture[str]
) -> None:
    several = [
        view(),
        view("c" * 64, alarm_since_s=NOON_S),
        view("b" * 64, figures=figures("b" * 64, 0.4)),
        view("a" * 64, figures=figures("e" * 64)),
        view("9" * 64, figures="{}"),
    ]
    control.answers["GET /api/judges"] = JudgeList(several, [])
    with Control(control.layout.state) as house:
        assert [it.judge for it in kept(house)] == ["d" * 64]
    assert capsys.readouterr().err == (
        "999999999999 in control: it is no calibration of a judge: Object missing required field "
        "`form`\n"
    )
