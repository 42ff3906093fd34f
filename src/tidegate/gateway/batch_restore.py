"""batch_restore: a gateway that starts goes on looking after the batches that the ledger knows.

Each batch has left a receipt of what is held for it, one that says which it is once its provider
had told that, and one when it was settled. Of what has the first alone nobody knows whether it was
begun: its provider's list tells, by the seal in its metadata. Anthropic's has none: what its list
can show is that none of the batches of that hour is this one.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import ANTHROPIC_MESSAGES
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.batch_hold import begun_id, done_id, release_or_later
from tidegate.gateway.batch_ids import OWNER, SEALED, Sealed, hold_id, seal_of, unsealed
from tidegate.gateway.batch_list import pages
from tidegate.gateway.batch_place import Account, account_of
from tidegate.gateway.batch_reading import own_id
from tidegate.gateway.batch_watch import MOST_AGE_S, PATIENCE_S
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError

log = logging.getLogger(__name__)

# A batch leaves three, and the note of its file.
MAX_RECEIPTS: Final = 40_000
# What was asked for so long ago has been answered, or never will be.
UNSURE_S: Final = 900.0
EVERY_S: Final = 60.0
# How far a provider's clock may be from ours.
SKEW_S: Final = 3600.0


async def restore(world: World) -> bool:
    """Watches what is open. Whether that could be read."""
    if world.past is None:
        return True
    now_s = clock.wall_s()
    try:
        found = await world.past.holds(now_s - MOST_AGE_S, MAX_RECEIPTS, late=True)
    except (StoreError, OSError) as error:
        log.warning("which batches are open cannot be read: %s", error)
        return False
    # Beside the loop: a third of a second where there are as many as are read.
    opened = await asyncio.to_thread(open_batches, {one.id: one for one in found}, world)
    for batch, begun in opened:
        if begun:
            world.batches.watch(batch, clock.monotonic_s() + PATIENCE_S)
        elif _is_due(batch):
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
    """One look for those that were asked for long enough ago, and an end of what is held for those
    that surely were not begun."""
    for one in [one for one in world.batches.unsure if _is_due(one)]:
        world.batches.unsure.remove(one)
        await _find(one, world)
    unbegun, world.batches.unbegun = world.batches.unbegun, []
    for one in unbegun:
        await release_or_later(one, world)


def open_batches(found: dict[str, Receipt], world: World) -> list[tuple[Sealed, bool]]:
    """Those that have not ended, and whether their provider has told which they are."""
    batches: dict[str, tuple[Sealed, bool]] = {}
    for batch, begun in _sealed(found.values(), world):
        if done_id(batch) not in found and (begun or hold_id(batch) not in batches):
            batches[hold_id(batch)] = batch, begun
    return list(batches.values())


def _sealed(receipts: Iterable[Receipt], world: World) -> Iterator[tuple[Sealed, bool]]:
    """What each receipt says of a batch, and whether it is the one that says which it is."""
    for receipt in receipts:
        id = (receipt.attributes or {}).get(SEALED)
        batch = None if id is None else unsealed(id, world.keys.digests)
        if batch is not None and batch.hold:
            yield batch, receipt.id == begun_id(batch)


def _is_of(seal: str, owner: Sealed, world: World) -> bool:
    found = unsealed(seal, world.keys.digests)
    return found is not None and found.hold == owner.hold


def _is_due(owner: Sealed) -> bool:
    """Whether its provider's list is to be asked. Of messages it must show all that any clock calls
    the same time."""
    wait_s = UNSURE_S + (SKEW_S if owner.dialect == ANTHROPIC_MESSAGES else 0.0)
    return clock.wall_s() - owner.at_ms / 1000 >= wait_s


async def _find(owner: Sealed, world: World) -> None:
    """Watches the batch that this is the owner of; gives back what is held where its provider has
    none. What cannot be told stays held."""
    try:
        at = account_of(owner, world.obeyed())
        by = _by_ledger if at.wire.form == "messages" else _by_seal
        batch = await by(owner, at, world)
    except (Refusal, Failure, StoreError, OSError) as no:
        log.warning("whether a batch of %s was begun is not known: %s", owner.team, no)
        if not isinstance(no, Refusal) or no.code.name != "not_found":
            world.batches.unsure.append(owner)
        return
    if batch is None:
        await release_or_later(owner, world)
    else:
        world.batches.watch(batch, clock.monotonic_s())


async def _by_seal(owner: Sealed, at: Account, world: World) -> Sealed | None:
    """The batch of this owner; None where there is none. Failure, Refusal."""
    if seal_of(owner, world.keys.digests) is None:
        raise Refusal("not_found", "its seal is longer than metadata takes")
    async for told in pages(at, "", world.ids.new()):
        metadata = told.get("metadata")
        seal = metadata.get(OWNER) if isinstance(metadata, dict) else None
        if isinstance(seal, str) and _is_of(seal, owner, world):
            return replace(owner, kind="batch", own=own_id(told))
    return None


async def _by_ledger(owner: Sealed, at: Account, world: World) -> Sealed | None:
    """The same where the list tells no owners: None where each batch in it of that time, with as
    many requests, is another's by the ledger. Failure, Refusal, StoreError, OSError."""
    since_s, until_s = owner.at_ms / 1000 - SKEW_S, owner.at_ms / 1000 + SKEW_S
    receipts = list(world.batches.begun.values())
    if world.past is not None:
        receipts += await world.past.holds(since_s - SKEW_S, MAX_RECEIPTS)
    sealed = await asyncio.to_thread(lambda: list(_sealed(receipts, world)))
    begun = [batch for batch, is_begun in sealed if is_begun]
    if (mine := next((one for one in begun if one.hold == owner.hold), None)) is not None:
        return mine
    others = {one.own for one in begun}
    async for told in pages(at, "", world.ids.new()):
        created_s = _created_s(told)
        if created_s is not None and created_s < since_s:
            break
        late = created_s is not None and created_s > until_s
        if not late and own_id(told) not in others and _may_have(told, owner.lines):
            raise Refusal("not_found", "one that its provider lists may be it")
    return None


def _created_s(told: dict[str, Any]) -> float | None:
    """None where it does not tell that as it should."""
    try:
        at = msgspec.convert(told.get("created_at"), datetime)
        return None if at.tzinfo is None else at.timestamp()
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def _may_have(told: dict[str, Any], requests: int) -> bool:
    """Whether it may have so many; 0: nobody knows how many. Whatever becomes of them, their counts
    add up to all."""
    counts = told.get("request_counts")
    if not requests or not isinstance(counts, dict):
        return True
    numbers = [it for it in counts.values() if isinstance(it, int)]
    return len(numbers) < len(counts) or sum(numbers) == requests
