"""batch_restore: a gateway that starts goes on looking after the batches that the ledger knows.

Each batch has left a receipt of what is held for it, one that says which it is once its provider
had told that, and one when it was settled. Of what has the first alone nobody knows whether it was
begun: its provider's list tells, by the seal in its metadata.
"""

import asyncio
import logging
from typing import Final

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.batch_hold import begun_id, done_id, release
from tidegate.gateway.batch_ids import OWNER, SEALED, Sealed, hold_id, seal_of, unsealed
from tidegate.gateway.batch_list import pages
from tidegate.gateway.batch_place import account_of
from tidegate.gateway.batch_reading import own_id
from tidegate.gateway.batch_watch import MOST_AGE_S, PATIENCE_S
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError

log = logging.getLogger(__name__)

MAX_RECEIPTS: Final = 30_000
# What was asked for so long ago has been answered, or never will be.
UNSURE_S: Final = 900.0
EVERY_S: Final = 60.0


async def restore(world: World) -> bool:
    """Watches what is open. Whether that could be read."""
    if world.past is None:
        return True
    now_s = clock.wall_s()
    try:
        found = await world.past.holds(now_s - MOST_AGE_S, MAX_RECEIPTS)
    except (StoreError, OSError) as error:
        log.warning("which batches are open cannot be read: %s", error)
        return False
    for batch, begun in open_batches({one.id: one for one in found}, world):
        if begun:
            world.batches.watch(batch, clock.monotonic_s() + PATIENCE_S)
        elif now_s - batch.at_ms / 1000 > UNSURE_S:
            await _find(batch, world)
        else:  # it may still be on its way
            world.batches.unsure.append(batch)
    return True


async def watch(world: World) -> None:
    """Restores, as soon as the ledger can be read, and looks for those of which this process does
    not know whether they began, for ever."""
    restored = False
    while True:
        try:
            restored = restored or await restore(world)
            await look(world)
        except Exception:  # the others are looked for all the same
            log.exception("batches could not be looked for")
        await asyncio.sleep(EVERY_S)


async def look(world: World) -> None:
    """One look for those that were asked for long enough ago."""
    before_ms = (clock.wall_s() - UNSURE_S) * 1000
    due = [one for one in world.batches.unsure if one.at_ms <= before_ms]
    for one in due:
        world.batches.unsure.remove(one)
        await _find(one, world)


def open_batches(found: dict[str, Receipt], world: World) -> list[tuple[Sealed, bool]]:
    """Those that have not ended, and whether their provider has told which they are."""
    batches: dict[str, tuple[Sealed, bool]] = {}
    for receipt in found.values():
        id = (receipt.attributes or {}).get(SEALED)
        batch = None if id is None else unsealed(id, world.keys.digests)
        if batch is None or not batch.hold or done_id(batch) in found:
            continue
        begun = receipt.id == begun_id(batch)
        if begun or hold_id(batch) not in batches:
            batches[hold_id(batch)] = batch, begun
    return list(batches.values())


def _is_of(seal: str, owner: Sealed, world: World) -> bool:
    found = unsealed(seal, world.keys.digests)
    return found is not None and found.hold == owner.hold


async def _find(owner: Sealed, world: World) -> None:
    """Watches the batch that this is the owner of; gives back what is held where its provider has
    none. Of a batch of messages no list says whose it is, nor of one whose seal is longer than
    metadata takes, so that these stay held."""
    try:
        at = account_of(owner, world.obeyed())
        if at.wire.form == "messages" or seal_of(owner, world.keys.digests) is None:
            return
        async for told in pages(at, "", world.ids.new()):
            metadata = told.get("metadata")
            seal = metadata.get(OWNER) if isinstance(metadata, dict) else None
            if isinstance(seal, str) and _is_of(seal, owner, world):
                batch = replace(owner, kind="batch", own=own_id(told))
                world.batches.watch(batch, clock.monotonic_s())
                return
    except (Refusal, Failure) as no:
        log.warning("whether a batch of %s was begun cannot be asked: %s", owner.team, no.message)
        if no.code.name != "not_found":
            world.batches.unsure.append(owner)
        return
    if not await release(owner, world):
        world.batches.unsure.append(owner)
