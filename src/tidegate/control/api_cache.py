"""What gateways keep of their answers: what of it may be given no more."""

from typing import Final

from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_cache import AnswersGone
from tidegate.core import clock
from tidegate.core.cache import ANSWERED
from tidegate.core.cache_labels import Selector
from tidegate.core.feed import Invalidation
from tidegate.core.words import nearest, quoted
from tidegate.stores import audit, database, feed, receipts

# A lead's are those of the lead's team, whatever else is named.
_MAY_NAME: Final = frozenset(Selector.__struct_fields__) - {"team"}


async def _invalidate(call: Call) -> AnswersGone:
    meant = await _meant(call)
    by, one = author(call), Invalidation(clock.IdSource().new(), meant)

    def write(engine: Engine) -> int:
        with database.writing(engine) as connection:
            audit.append(connection, by, "cache.invalidate", one.id, str(meant))
            return feed.append_invalidation(connection, one, by.at_s)

    seq = await call.desk.store(write)
    waiting_for = await call.desk.obeyed(seq)
    obeying = sum(it.seq >= seq for it in call.desk.feed.gateways())
    return AnswersGone(one.id, meant, obeying, waiting_for, _unknown(call, meant))


def _unknown(call: Call, meant: Selector) -> list[str]:
    """What the plan has none of. A team is told nothing of what there is beside its own."""
    plan = call.desk.plans.current
    named = (("route", meant.route, plan.routes), ("target", meant.target, plan.targets))
    return [
        f"{what} {quoted(name)}{nearest(name, known)}"
        for what, name, known in named
        if name is not None and name not in known and call.team is None
    ]


async def _meant(call: Call) -> Selector:
    """What its caller may mean. ApiError."""
    asked: Selector = call.body
    wrong = asked.wrong()
    if call.team is not None:
        if asked.customer is not None:
            wrong = replace(asked, team=call.team.id).wrong()
        asked = replace(asked, team=call.team.id, everything=False)
    if wrong is not None:
        raise ApiError("invalid_request", f"{wrong}.")
    if asked.entry is None:
        return asked
    found = await call.desk.store(receipts.by_id, asked.entry)
    if found is None or found.cache_from is None or found.cache not in ANSWERED:
        return asked  # one that was asked anew beside an older one has an answer of its own
    if call.team is not None and found.team != call.team.id:
        return asked
    return replace(asked, entry=found.cache_from)


ROWS = (Row("POST", "/cache/invalidate", "operator", _invalidate, body=Selector, lead=_MAY_NAME),)
