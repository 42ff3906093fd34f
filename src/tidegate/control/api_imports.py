"""Moving in: what another gateway's keys, teams and budgets come to here, and to have it so."""

import asyncio

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.importing import Surroundings, check, take_in
from tidegate.control.routes import Call, Row
from tidegate.core.moved import Moved, MovedIn

_MOST_BYTES = 64 * 1024 * 1024


async def _import(call: Call) -> MovedIn:
    """Nothing stays of it unless it is applied, and then all of it does."""
    moved: Moved = call.body
    desk, by = call.desk, author(call)
    around = Surroundings(desk.plans.current, desk.plans.declared, desk.digest)
    await asyncio.to_thread(check, moved, around)

    def change(connection: Connection) -> MovedIn:
        found = take_in(connection, moved, around, by)
        if moved.apply and found.conflicts:
            raise ApiError(
                "changed_on_both_sides",
                "Nothing was applied: some of it has been changed here too. Decide each, or "
                "import with keep_ours.",
                problems=found.conflicts,
            )
        return found

    if not moved.apply:
        return await desk.try_change(change)
    found, waiting_for = await desk.amend(change)
    return replace(found, applied=True, waiting_for=waiting_for)


ROWS = (Row("POST", "/api/imports", "admin", _import, body=Moved, most_bytes=_MOST_BYTES),)
