"""Providers' prefix caches: what they had and saved, and what keeps them from having more.

The second reads what was said, so it is for operators alone, and in the audit trail.
"""

import asyncio
from typing import Final

from sqlalchemy import Engine

from tidegate.control.api_captured import READ
from tidegate.control.api_keys import author
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_prefixes import PrefixPage, PrefixQuery, UnstablePage, UnstableQuery
from tidegate.control.unstable_prefixes import compared
from tidegate.core import clock
from tidegate.stores import audit, database
from tidegate.stores.prefixes import prefix_sums, requests_by_prefix
from tidegate.stores.questions import Question, newest_questions
from tidegate.stores.receipts import Filter

_DAY_S: Final = 86_400.0
_MOST_READ: Final = 1000


async def _sums(call: Call) -> PrefixPage:
    asked: PrefixQuery = call.query
    team = None if call.team is None else call.team.id
    which = Filter(clock.wall_s() - asked.since_s, route=asked.route, team=team)
    return PrefixPage(*await call.desk.store(prefix_sums, which))


async def _unstable(call: Call) -> UnstablePage:
    asked: UnstableQuery = call.query
    by = author(call)

    def read(engine: Engine) -> list[Question]:
        with database.writing(engine, alone=False) as connection:
            found = newest_questions(
                connection,
                by.at_s,
                since_s=by.at_s - asked.since_s,
                route=asked.route,
                limit=_MOST_READ,
            )
            if found:
                subject = f"{len(found)} from {found[-1].receipt_id} to {found[0].receipt_id}"
                told = "" if asked.route is None else f", route {asked.route}"
                audit.append(connection, by, READ, subject, f"beginnings compared{told}")
            return found

    questions = await call.desk.store(read)
    which = Filter(by.at_s - _DAY_S, route=asked.route)
    a_day = await call.desk.store(requests_by_prefix, which)
    page = await asyncio.to_thread(compared, questions, call.desk.plans.current, a_day)
    if asked.route is not None:
        page.uncaptured[:] = [name for name in page.uncaptured if name == asked.route]
    return page


ROWS = (
    Row(
        "GET",
        "/api/prefixes",
        "viewer",
        _sums,
        query=PrefixQuery,
        lead=frozenset({"route", "since_s"}),
    ),
    Row("GET", "/api/prefixes/unstable", "operator", _unstable, query=UnstableQuery),
)
