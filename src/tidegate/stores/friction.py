"""How many conversations had friction, and how many answers their clients did not wait for."""

from collections import Counter
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, Integer, case, cast, func, select

from tidegate.core.sli import judged
from tidegate.stores import receipts as receipts_of
from tidegate.stores.receipts import Filter
from tidegate.stores.schema import receipts
from tidegate.stores.schema_assessed import assessments

# Of a longer time the newest receipts are looked at.
SCAN_ROWS: Final = 50_000

_a = assessments.c


class Friction(Struct, frozen=True):
    """Conversations of one route, arm and prompt version in which a turn could be followed up. One
    has friction where its user had to ask again at least once: `with_friction` of `known`. Of
    `unknown` nobody knows it of any turn. `turns` and `bad_turns` are the known ones."""

    route: str | None
    arm: str | None
    prompt_version: str | None
    known: int
    with_friction: int
    unknown: int
    turns: int
    bad_turns: int


class Abandoned(Struct, frozen=True):
    """`left` of `requests` were left by their client before the answer had ended. `since_s` is the
    first of these, in wall-clock seconds."""

    route: str | None
    arm: str | None
    prompt_version: str | None
    requests: int
    left: int
    since_s: float


def friction(
    connection: Connection, *, route: str | None, since_s: float, limit: int = 1000
) -> list[Friction]:
    """By route, arm and prompt version, of requests since."""
    by = (_a.route, _a.arm, _a.prompt_version)
    bad = func.coalesce(func.sum(case((_a.is_bad, 1), else_=0)), 0)
    each = select(*by, func.count(_a.is_bad).label("turns"), bad.label("bad"))
    each = each.where(
        _a.assessed_as == "follow_up", _a.conversation.is_not(None), _a.started_at_s >= since_s
    )
    if route is not None:
        each = each.where(_a.route == route)
    c = each.group_by(*by, _a.conversation).subquery().c
    sums = (
        case((c.turns > 0, 1), else_=0),
        case((c.bad > 0, 1), else_=0),
        case((c.turns == 0, 1), else_=0),
        c.turns,
        c.bad,
    )
    names = (c.route, c.arm, c.prompt_version)
    query = select(*names, *(cast(func.sum(it), Integer) for it in sums))
    query = query.group_by(*names).order_by(*names).limit(limit)
    return [Friction(*row) for row in connection.execute(query)]


def abandoned(
    connection: Connection, *, route: str | None, since_s: float, scan_rows: int = SCAN_ROWS
) -> list[Abandoned]:
    """By route, arm and prompt version, of the newest requests since that count for it
    (`core.sli`)."""
    which = Filter(route=route, since_s=since_s, of_callers=True)
    conditions, _ = receipts_of.bounded(connection, which, scan_rows)
    every: Counter[tuple[str | None, str | None, str | None]] = Counter()
    left: Counter[tuple[str | None, str | None, str | None]] = Counter()
    first_s = float("inf")
    payloads = connection.execute(select(receipts.c.detail).where(*conditions)).scalars()
    for receipt in receipts_of.readable(payloads):
        stayed = judged(receipt).get("abandon")
        if stayed is None or receipt.route is None:
            continue
        whose = receipt.route, receipt.arm, receipt.prompt_version
        every[whose] += 1
        left[whose] += not stayed
        first_s = min(first_s, receipt.started_at_s)
    order = sorted(every, key=lambda whose: tuple(it or "" for it in whose))
    return [Abandoned(*it, every[it], left[it], first_s) for it in order]
