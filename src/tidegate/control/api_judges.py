"""Judges: who may decide, how each has kept to that, and calibrations that an operator brings."""

from typing import Final

import msgspec
from sqlalchemy import Connection, Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_judges import (
    MAX_FIGURES_BYTES,
    JudgeList,
    JudgeView,
    NewCalibration,
    SeatView,
    bridge_of,
)
from tidegate.core import clock
from tidegate.core.controller import Tell
from tidegate.stores import audit, database, judges, notices
from tidegate.stores.audit import Author
from tidegate.stores.judges import Calibrated

# A judge that the plan has look is looked at weekly, which says anew how long it lasts.
KEPT_S: Final = 90 * 86_400.0
_LOOKS: Final = 60


async def _list(call: Call) -> JudgeList:
    def read(engine: Engine) -> JudgeList:
        now_s = clock.wall_s()
        with database.reading(engine) as connection:
            rows = judges.every(connection, limit=200)
            looks = {it.judge: judges.looks(connection, it.judge, limit=_LOOKS) for it in rows}
            seats = judges.seats(connection).values()
        views = [JudgeView.of(it, looks[it.judge], now_s) for it in rows]
        return JudgeList(views, [SeatView.of(it) for it in seats])

    return await call.desk.store(read)


async def _keep(call: Call) -> JudgeView:
    asked: NewCalibration = call.body
    by = author(call)
    _check(asked)

    def write(engine: Engine) -> Calibrated:
        with database.writing(engine) as connection:
            return _kept(connection, asked, by)

    return JudgeView.of(await call.desk.store(write), [], by.at_s)


ROWS = (
    Row("GET", "/api/judges", "viewer", _list),
    Row("POST", "/api/judges", "operator", _keep, body=NewCalibration, status=201),
)


def _check(asked: NewCalibration) -> None:
    """ApiError for what no calibration comes to."""
    wrong = None
    if asked.agreed > asked.known or asked.errors > asked.anchors:
        wrong = "More verdicts agree, or are missing, than there were."
    elif asked.may_decide and asked.kappa is None:
        wrong = "A judge whose agreement cannot be told may not decide."
    elif len(msgspec.json.encode(asked.figures)) > MAX_FIGURES_BYTES:
        wrong = f"The figures have more than {MAX_FIGURES_BYTES:,} bytes."
    if wrong is not None:
        raise ApiError("invalid_request", wrong)


def _kept(connection: Connection, asked: NewCalibration, by: Author) -> Calibrated:
    before = judges.find(connection, asked.judge)
    made = Calibrated(
        judge=asked.judge,
        route=asked.route,
        name=asked.name,
        model=asked.model,
        calibrated_at_s=by.at_s,
        expires_at_s=by.at_s + KEPT_S,
        author=f"operator:{by.actor}",
        is_calibrated=asked.may_decide,
        anchors=asked.anchors,
        anchors_digest=asked.anchors_digest,
        errors=asked.errors,
        known=asked.known,
        agreed=asked.agreed,
        kappa=asked.kappa,
        kappa_low=asked.kappa_low,
        kappa_high=asked.kappa_high,
        figures=msgspec.json.encode(asked.figures).decode(),
        generation=1 if before is None else before.generation + 1,
        bridge=bridge_of(asked.figures) or ("" if before is None else before.bridge),
    )
    judges.keep(connection, made)
    if made.is_calibrated:
        _resolve(connection, made.judge, by.at_s)
    figures = {"model": made.model, "kappa": made.kappa, "may_decide": made.is_calibrated}
    said = f"{msgspec.json.encode(figures).decode()}: {asked.reason}"
    audit.append(connection, by, "judge.keep", f"{made.judge[:16]} at {made.route}", said)
    return made


def _resolve(connection: Connection, judge: str, now_s: float) -> None:
    """What people were told of it is over."""
    of_seats = [it.seat for it in judges.seats(connection).values() if it.judge == judge]
    told = [(judge, judges.ALARM), *((it, judges.INFORMS) for it in of_seats)]
    told += [(it, judges.CHANGED) for it in of_seats]
    for whose, what in told:
        key, text = judges.notice_key(whose, what), "An operator brought a calibration."
        notices.note(connection, Tell("judge", key, "ticket", "", text, resolved=True), now_s)
