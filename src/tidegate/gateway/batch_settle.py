"""batch_settle: results on their way to their reader; each line is settled before it goes on."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway.batch_desk import name_of
from tidegate.gateway.batch_ids import SEALED, Kind, Sealed, hold_id, unsealed
from tidegate.gateway.batch_money import charge
from tidegate.gateway.batch_place import Account
from tidegate.gateway.batch_results import Owner, Pricing, Splitter
from tidegate.gateway.http.server import Connection
from tidegate.gateway.journal import nothing
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError
from tidegate.stores.spending import spent_nanousd

log = logging.getLogger(__name__)

# Lines that the ledger is asked of together, and those of them that are read in one turn of the
# loop: others' requests are served between them.
LINES_AT_ONCE: Final = 80
LINES_A_TURN: Final = 16


class Settling:
    """Settles the lines of one file. The last receipt is kept back until `finish`, so that the
    answer's end waits for it."""

    def __init__(self, at: Account, owner: Owner, world: World) -> None:
        self._plan: PreparedPlan = world.obeyed()
        version = self._plan.plan.version
        self._pricing = Pricing(at, owner, world.gateway, version)
        self._target = at.target.target.name
        self._splitter = Splitter()
        self._file = name_of(owner.sealed)
        self._sealed, self._key = owner.sealed, owner.key
        self._world = world
        self._last: Receipt | None = None
        self._turn = 0

    async def feed(self, data: bytes) -> None:
        """Settles the lines that have become whole."""
        await self._settle(self._splitter.feed(data))

    async def finish(self, connection: Connection | None, ending: Callable[[], None]) -> None:
        """The file has ended as it should: settles the rest, and runs `ending` behind it."""
        rest, desk = self._splitter.end(), self._world.batches
        half = [line for line in rest if not self._pricing.reads(line)]
        await self._settle([line for line in rest if line not in half])
        self._count("malformed", len(half))
        if half:  # a file that told no length was cut: it is to be read again
            desk.read.forget(self._file)
        else:
            desk.read.note(self._file)
        if self._sealed.hold and not half:  # what is held for its batch may end now
            kind: Kind = "messages" if self._sealed.kind == "messages" else "batch"
            of = replace(self._sealed, kind=kind, own=self._sealed.batch, batch="")
            desk.watch(of, clock.monotonic_s())
        if self._last is None:
            ending()
            return
        give_up = ending if connection is None else connection.abort
        self._append([self._last], ending, give_up)
        self._last = None

    def stop(self) -> None:
        """The file was cut: what came whole stays settled, half a line is nothing."""
        if self._last is not None:
            last, self._last = self._last, None
            self._append([last], nothing, nothing)

    async def _settle(self, lines: list[bytes]) -> None:
        for at in range(0, len(lines), LINES_AT_ONCE):
            found = await self._priced(lines[at : at + LINES_AT_ONCE])
            found = await self._unrecorded(found)
            if found:
                if self._last is not None:
                    found.insert(0, self._last)
                self._last = found.pop()
                self._append(found, nothing, nothing)

    async def _priced(self, lines: list[bytes]) -> list[Receipt]:
        """The receipts of those that this process has not settled, a few in a turn of the loop."""
        settled, found = self._world.batches.settled, []
        for number, line in enumerate(lines):
            receipt = self._pricing.receipt(line)
            if receipt.id not in settled:
                found.append(receipt)
            if number % LINES_A_TURN == 0:
                await asyncio.sleep(0)
        return found

    async def _unrecorded(self, found: list[Receipt]) -> list[Receipt]:
        """Those that the ledger does not have: another gateway may have settled them, or this one
        before its last start. Where it cannot say, they go there again, which it will notice."""
        past = self._world.past
        if past is None or not found:
            return found
        try:
            known = await past.recorded([one.id for one in found])
        except (StoreError, OSError) as error:
            log.info("what the ledger has of a batch cannot be read: %s", error)
            return found
        for id in known:
            self._world.batches.settled.note(id)
        return [one for one in found if one.id not in known]

    def _append(
        self, found: list[Receipt], ending: Callable[[], None], give_up: Callable[[], None]
    ) -> None:
        """In one turn of the loop: the journal has them and the counters know. What another reader
        has settled meanwhile is settled."""
        found = [one for one in found if self._world.batches.settled.note(one.id)]
        if not found:
            ending()
            return
        journal = self._world.journal
        for receipt in found[:-1]:
            journal.append(encode_frame(receipt), nothing, nothing)
        journal.append(encode_frame(found[-1]), ending, give_up)
        malformed = sum(one.error_code == "upstream_malformed" for one in found)
        failed = sum(one.error_code is not None for one in found) - malformed
        self._count("malformed", malformed)
        self._count("failed", failed)
        self._count("settled", len(found) - failed - malformed)
        self._turn += 1
        spent = replace(found[-1], cost_nanousd=sum(map(spent_nanousd, found)))
        id = f"{found[-1].id}/{self._turn}"
        charge(spent, self._key, self._plan, self._world.past, id)

    def _count(self, outcome: str, lines: int) -> None:
        if lines:
            self._world.batches.lines[self._target, outcome] += lines


async def owner_of(sealed: Sealed, world: World) -> Owner:
    """Whose the lines are. Refusal where keys cannot be read, or what they cost."""
    sealed = await _whole(sealed, world)
    record = await world.keys.record(sealed.key_id)
    if record is None or (record.team, record.customer) != (sealed.team, sealed.customer):
        record = _gone(sealed, world)
    return Owner(sealed, record)


async def _whole(sealed: Sealed, world: World) -> Sealed:
    """With what a batch's metadata, and so a list, has no room for: the receipt of what is held for
    it tells that. Refusal."""
    if not sealed.hold or sealed.price is not None or sealed.brought is not None:
        return sealed
    held = world.batches.holds.get(hold_id(sealed))
    receipt = None if held is None else held.receipt
    try:
        if receipt is None and world.past is not None:
            receipt = await world.past.receipt(hold_id(sealed))
    except (StoreError, OSError):
        message = "what a batch began with cannot be read now"
        raise Refusal("store_unavailable", message, retry_after_s=1.0) from None
    seal = None if receipt is None else (receipt.attributes or {}).get(SEALED)
    owner = None if seal is None else unsealed(seal, world.keys.digests)
    if owner is None:
        return sealed
    return replace(sealed, price=owner.price, brought=owner.brought)


def _gone(sealed: Sealed, world: World) -> KeyRecord:
    """Stands for a key that is no more or has moved, so that the budgets of its team count what it
    has spent, and for a caller without one, by what that brought."""
    own = sealed.key_id, b"", 0, "", sealed.team, 0.0, (), sealed.customer
    brought = sealed.brought
    if brought is None:
        return KeyRecord(*own)
    limits = world.keys.limits_of(sealed.key_id) or KeyLimits(
        brought.budget_nanousd,
        brought.budget_unit,
        brought.budget_s,
        budget_hard=brought.budget_hard,
        budget_degrade=brought.budget_degrade,
    )
    return KeyRecord(
        *own, environment=brought.environment, attributes=brought.attributes, limits=limits
    )
