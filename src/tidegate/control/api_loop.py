"""The loop over the control API: what it does, and its decisions made again."""

from sqlalchemy import Engine

from tidegate.control import replaying
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_releases import (
    LoopStatus,
    ReplayList,
    ReplayQuery,
    SubjectView,
)
from tidegate.stores import database, decisions


async def _status(call: Call) -> LoopStatus:
    desk = call.desk
    declared, status = desk.plans.declared.control.loop, desk.loop.status

    def active(engine: Engine) -> float:
        with database.reading(engine) as connection:
            return decisions.active_s(connection)

    return LoopStatus(
        leads=desk.who_leads() is None,
        dry_run=declared.dry_run,
        tick_s=declared.tick_s,
        lease_s=declared.lease_s,
        at_s=status.at_s,
        took_s=status.took_s,
        epoch=status.epoch,
        active_s=await desk.store(active),
        problem=status.problem,
        subjects=[
            SubjectView(
                one.watcher.controller.name,
                one.seen.subject,
                [replaying.in_words(it) for it in one.decision.proposals],
            )
            for one in status.decided
        ],
    )


async def _replay(call: Call) -> ReplayList:
    query: ReplayQuery = call.query
    watchers = call.desk.loop.watchers

    def replay(engine: Engine) -> ReplayList:
        with database.reading(engine) as connection:
            if query.seq is not None:
                found = decisions.chain(connection, query.seq)[-1:]
            else:
                found = decisions.recent(connection, subject=query.subject, limit=query.limit)
            return ReplayList([replaying.replay(connection, watchers, one) for one in found])

    return await call.desk.store(replay)


ROWS = (
    Row("GET", "/api/loop", "viewer", _status),
    Row("GET", "/api/loop/replay", "viewer", _replay, query=ReplayQuery),
)
