"""What was said of an anchor stands, and goes with its occasion."""

from sqlalchemy import Engine
from tests.stores.rig import NOON_S

from tidegate.stores import database, judge_scores
from tidegate.stores.judge_scores import Score


def said(occasion: str, turn: int = 0, **fields: object) -> Score:
    plain = {"passes": True, "agrees": False, "score": 0.75, "at_s": NOON_S}
    return Score("j1", occasion, "a", turn, **{**plain, **fields})  # type: ignore[arg-type]


def test_the_first_of_each_stands(engine: Engine) -> None:
    silent = said("week-1", turn=1, passes=None, agrees=None, score=None)
    with database.writing(engine) as connection:
        judge_scores.add(connection, [])
        judge_scores.add(connection, [said("week-1"), silent])
        judge_scores.add(connection, [said("week-1", passes=False), said("week-2")])
        assert judge_scores.of(connection, "j1", "week-1") == [said("week-1"), silent]
        assert judge_scores.of(connection, "j2", "week-1") == []
        judge_scores.forget(connection, "j1", ["week-1", "week-3"])
        assert judge_scores.of(connection, "j1", "week-1") == []
        assert judge_scores.of(connection, "j1", "week-2") == [said("week-2")]


def test_weeks_go_with_time_and_calibrations_stay(engine: Engine) -> None:
    with database.writing(engine) as connection:
        later = said("week-2", at_s=NOON_S + 1)
        judge_scores.add(connection, [said("week-1"), later, said("calibration-1")])
    assert judge_scores.drop_old(engine, NOON_S + 1) == 1
    with database.reading(engine) as connection:
        assert judge_scores.of(connection, "j1", "week-1") == []
        assert len(judge_scores.of(connection, "j1", "week-2")) == 1
        assert len(judge_scores.of(connection, "j1", "calibration-1")) == 1
