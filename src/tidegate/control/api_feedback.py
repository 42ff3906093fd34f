"""Feedback: what was said of answers, how they were rated, and what their users did next. Who reads
comments is in the audit trail."""

from sqlalchemy import Engine

from tidegate.control.api_captured import READ
from tidegate.control.api_keys import author
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_captured import (
    AbandonedView,
    FeedbackList,
    FeedbackQuery,
    FeedbackRates,
    FrictionView,
    RatesQuery,
    RateView,
)
from tidegate.control.shapes_quality import ShareView
from tidegate.core import clock
from tidegate.stats.stratified import wilson
from tidegate.stores import audit, database, feedback, friction
from tidegate.stores.feedback import Heard, Which


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

    def read(engine: Engine) -> FeedbackRates:
        since_s, route = _since(asked.since_s, clock.wall_s()), asked.route
        from_s = since_s or 0.0
        with database.reading(engine) as connection:
            rates = feedback.rates(connection, Which(route, since_s=since_s))
            conversations = friction.friction(connection, route=route, since_s=from_s)
            left = friction.abandoned(connection, route=route, since_s=from_s)
        return FeedbackRates(
            [RateView(it, _share(it.down, it.rated)) for it in rates],
            [FrictionView(it, _share(it.with_friction, it.known)) for it in conversations],
            [AbandonedView(it, _share(it.left, it.requests)) for it in left],
        )

    return await call.desk.store(read)


ROWS = (
    Row("GET", "/api/feedback", "operator", _list, query=FeedbackQuery),
    Row("GET", "/api/feedback/rates", "viewer", _rates, query=RatesQuery),
)


def _since(since_s: float | None, now_s: float) -> float | None:
    return None if since_s is None else now_s - since_s


def _share(some: int, known: int) -> ShareView | None:
    return ShareView(some / known, *wilson(some, known)) if known else None
