import msgspec
import pytest
from tests.stores.judged import calibrated, look, seat
from tests.stores.rig import NOON_S

from tidegate.control.shapes_judges import JudgeView, NewCalibration, SeatView, bridge_of

WHOLE = {
    "judge": "d" * 64,
    "route": "referee",
    "name": "kindness",
    "model": "m-1",
    "may_decide": True,
    "anchors": 200,
    "anchors_digest": "e" * 64,
    "errors": 0,
    "known": 400,
    "agreed": 380,
    "kappa": 0.9,
    "figures": {"judge": "d"},
    "reason": "a test",
}


@pytest.mark.parametrize(
    "given",
    [
        {"judge": "d"},
        {"anchors": 0},
        {"kappa": 1.5},
        {"known": -1},
        {"reason": ""},
        {"x": 1},
        {"figures": []},
    ],
)
def test_what_no_calibration_says_is_refused(given: dict[str, object]) -> None:
    def read(body: dict[str, object]) -> NewCalibration:
        return msgspec.json.decode(msgspec.json.encode(body), type=NewCalibration)

    assert read(WHOLE).kappa_low is None
    with pytest.raises(msgspec.ValidationError):
        read({**WHOLE, **given})


def test_a_judge_is_shown_as_it_may_decide_now() -> None:
    row = calibrated(bridge='{"shift": 0.1}', figures='{"said": {"a": 1}, "kappa": [1, 2, 3]}')
    view = JudgeView.of(row, [look()], NOON_S)
    assert view.may_decide and view.looks[0].agreed == 44
    assert bytes(view.figures) == b'{"kappa":[1, 2, 3]}'
    assert bytes(view.bridge or b"") == b'{"shift": 0.1}'
    late = JudgeView.of(row, [], row.expires_at_s)
    assert late.is_calibrated and not late.may_decide
    assert SeatView.of(seat()).model == "m-1"


@pytest.mark.parametrize(
    ("figures", "bridge"),
    [({"bridge": b'{"a": 1}'}, '{"a": 1}'), ({"bridge": b"null"}, ""), ({}, "")],
)
def test_a_bridge_is_taken_out_of_figures(figures: dict[str, bytes], bridge: str) -> None:
    assert bridge_of({name: msgspec.Raw(it) for name, it in figures.items()}) == bridge
