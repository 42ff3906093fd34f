"""Whether caches pay: a row for each tier of each route, for operators, viewers and teams."""

from msgspec.structs import replace

from tidegate.control.cache_report import report
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_cache_worth import WorthPage, WorthQuery
from tidegate.core import clock
from tidegate.core.words import nearest, quoted
from tidegate.stores.cache_sums import Which


async def _worth(call: Call) -> WorthPage:
    asked: WorthQuery = call.query
    now_s = clock.wall_s()
    team = None if call.team is None else call.team.id
    which = Which(now_s - asked.since_s, now_s, asked.route, team)
    page = await call.desk.store(report, which, call.desk.plans.declared.routes)
    known = call.desk.plans.current.routes
    if asked.route is None or asked.route in known or team is not None:
        return page
    return replace(page, unknown=f"route {quoted(asked.route)}{nearest(asked.route, known)}")


ROWS = (
    Row(
        "GET",
        "/api/cache/worth",
        "viewer",
        _worth,
        query=WorthQuery,
        lead=frozenset({"route", "since_s"}),
    ),
)
