"""Feedback: what was said of answers, and how they were rated. Who reads comments is in the audit
trail."""

from sqlalchemy import Engine

from tidegate.control.api_captured import READ
from tidegate.control.api_keys import author
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_captured import (
    FeedbackList,
    FeedbackQuery,
    FeedbackRates,
    RatesQuery,
)
from tidegate.core import clock
from tidegate.stores import audit, database, feedback
from tidegate.stores.feedback import Heard, Rate, Which


async def _list(call: Call) -> FeedbackList:
    asked: FeedbackQuery = call.query
    by = author(call)

    def read(engine: Engine) -> list[Heard]:
        with database.writing(engine, alone=False) as connection:
            which = Which(asked.route, asked.rated, _since(asked.since_s, by.at_s))
            found = feedback.newest(connection, which, limit=asked.limit)
            comments = sum(it.comment is not None for it in found)
            if comments:
                audit.append(connection, by, READ, f"{comments} comments of feedback")
            return found

    return FeedbackList(await call.desk.store(read))


async def _rates(call: Call) -> FeedbackRates:
    asked: RatesQuery = call.query

    def read(engine: Engine) -> list[Rate]:
        with database.reading(engine) as connection:
            since_s = _since(asked.since_s, clock.wall_s())
            return feedback.rates(connection, Which(asked.route, since_s=since_s))

    return FeedbackRates(await call.desk.store(read))


ROWS = (
    Row("GET", "/api/feedback", "operator", _list, query=FeedbackQuery),
    Row("GET", "/api/feedback/rates", "viewer", _rates, query=RatesQuery),
)


def _since(since_s: float | None, now_s: float) -> float | None:
    return None if since_s is None else now_s - since_s
