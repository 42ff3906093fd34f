"""batch_watch: results that nobody reads are settled all the same.

A gateway looks after the batches that were created or asked for through it. Once one is through and
its results have not been read for a while, the gateway reads them itself, and gives them to nobody.
What it looks after is in memory: after a restart `batch_restore` says what is open.
"""

import asyncio
import logging
from typing import Any, Final

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.batch_desk import name_of
from tidegate.gateway.batch_hold import done_id, has_ended, release
from tidegate.gateway.batch_ids import Sealed, hold_id
from tidegate.gateway.batch_place import account_of, ask
from tidegate.gateway.batch_reading import read, read_through
from tidegate.gateway.batch_settle import Settling, owner_of
from tidegate.gateway.world import World

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0
# How long results wait for somebody else to read them.
PATIENCE_S: Final = 60.0
# Between two looks at a batch that is under way, and at one that could not be looked at; where it
# was for want of a token, `PATIENCE_S`.
EVERY_S: Final = 600.0
# Until what is held for one is tried to be given back once more.
AGAIN_S: Final = 5.0
AT_ONCE: Final = 4
# A batch that began before that is settled when somebody reads it.
MOST_AGE_S: Final = 7 * 86_400.0
THROUGH: Final = frozenset({"completed", "failed", "expired", "cancelled"})
FILES: Final = ("output_file_id", "error_file_id")


def heed(told: dict[str, Any], batch: Sealed, world: World) -> None:
    """A batch was created or asked for: it is looked after until its results were read."""
    through = is_through(told, batch)
    if through and not _unread(told, batch, world):
        world.batches.watched.pop(name_of(batch), None)
        if batch.hold and done_id(batch) not in world.batches.settled:
            _watch(batch, clock.monotonic_s(), world)
        return
    _watch(batch, clock.monotonic_s() + (PATIENCE_S if through else EVERY_S), world)


def is_through(told: dict[str, Any], batch: Sealed) -> bool:
    """Whether its provider is done with it."""
    if batch.kind == "messages":
        return told.get("processing_status") == "ended"
    return told.get("status") in THROUGH


async def watch(world: World) -> None:
    """Looks at what is due, for ever."""
    while True:
        await asyncio.sleep(LOOK_S)
        await look(world, clock.monotonic_s())


async def look(world: World, now_s: float) -> None:
    """One look at all that is due, a few at a time."""
    due = [batch for batch, due_s in world.batches.watched.values() if due_s <= now_s]
    for at in range(0, len(due), AT_ONCE):
        await asyncio.gather(*(_look(batch, now_s, world) for batch in due[at : at + AT_ONCE]))


async def _look(batch: Sealed, now_s: float, world: World) -> None:
    world.batches.watched.pop(name_of(batch), None)
    request_id = world.ids.new()
    try:
        at = account_of(batch, world.obeyed())
    except Refusal as no:  # its target may come back
        log.info("batch %s is looked at again later: %s", batch.own, no.message)
        _watch(batch, now_s + EVERY_S, world)
        return
    try:
        if await has_ended(batch, world):
            await _release(batch, now_s, world)
            return
        told = read(await ask(at, b"GET", b"/batches/" + batch.own.encode(), request_id))
        if not is_through(told, batch):
            _watch(batch, now_s + EVERY_S, world)
            return
        for file in _unread(told, batch, world):
            world.check_journal()
            owner = await owner_of(file, world)
            await read_through(at, file, Settling(at, owner, world), request_id)
        world.batches.watched.pop(name_of(batch), None)
        if _unread(told, batch, world):
            _watch(batch, now_s + EVERY_S, world)
        else:
            await _release(batch, now_s, world)
    except (Refusal, Failure) as no:
        if no.code.name == "not_found":
            if name_of(batch) in world.batches.read:  # its caller has deleted it since
                await _release(batch, now_s, world)
                return
            log.warning("results of batch %s were gone before anybody read them", batch.own)
            return
        log.info("batch %s is looked at again later: %s", batch.own, no.message)
        missing = no.code.name == "credential_missing"
        _watch(batch, now_s + (PATIENCE_S if missing else EVERY_S), world)
    except Exception:  # the others are looked at all the same
        log.exception("batch %s could not be settled", batch.own)
        _watch(batch, now_s + EVERY_S, world)


async def _release(batch: Sealed, now_s: float, world: World) -> None:
    """Ends what is held for it. What was held elsewhere may never come to this ledger, so that it
    is not asked for as often."""
    if not await release(batch, world):
        here = hold_id(batch) in world.batches.holds
        _watch(batch, now_s + (AGAIN_S if here else PATIENCE_S), world)


def _watch(batch: Sealed, due_s: float, world: World) -> None:
    if clock.wall_s() - batch.at_ms / 1000 <= MOST_AGE_S:
        world.batches.watch(batch, due_s)


def _unread(told: dict[str, Any], batch: Sealed, world: World) -> list[Sealed]:
    """The results that this process has not settled to their end."""
    if batch.kind == "messages":
        results = replace(batch, batch=batch.own)
        return [] if name_of(results) in world.batches.read else [results]
    ids = [own for own in map(told.get, FILES) if isinstance(own, str) and own]
    found = [replace(batch, kind="results", own=own, batch=batch.own) for own in ids]
    return [file for file in found if name_of(file) not in world.batches.read]
