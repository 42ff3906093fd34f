"""What was asked in captured requests, without what was answered: for whoever compares many. What
had a kept answer is left out: no model was asked."""

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, func, select

from tidegate.stores.captured_hits import LIVE
from tidegate.stores.schema_captured import captured

# A longer question is left out: its beginning alone cannot be read.
MOST_CHARS: Final = 256 * 1024
MOST_CHARS_IN_ALL: Final = 32 * 1024 * 1024
_AT_ONCE: Final = 50


class Question(Struct, frozen=True):
    """As `core.capture.Captured` says it."""

    receipt_id: str
    route: str
    prompt_version: str | None
    model: str | None
    target: str | None
    messages: str
    tools: str | None


def newest_questions(
    connection: Connection, now_s: float, *, since_s: float, route: str | None, limit: int
) -> list[Question]:
    """The newest first, at most `limit`, and at most `MOST_CHARS_IN_ALL` characters in all."""
    c = captured.c
    query = select(*(c[name] for name in Question.__struct_fields__)).where(
        c.until_s > now_s, c.at_s >= since_s, func.length(c.messages) <= MOST_CHARS, LIVE
    )
    if route is not None:
        query = query.where(c.route == route)
    query = query.order_by(c.receipt_id.desc()).limit(limit)
    found, chars = [], 0
    with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as rows:
        for row in rows:
            chars += len(row.messages) + len(row.tools or "")
            if chars > MOST_CHARS_IN_ALL:
                break
            found.append(Question(*row))
    return found
