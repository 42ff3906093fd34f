"""Reading what was spent: the ledger at one moment, and the journals from there on. Blocking."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from msgspec import Struct

from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.receipt import Receipt
from tidegate.gateway.in_force import InForce
from tidegate.gateway.journal_tail import Position, Tail, read_tail
from tidegate.gateway.past_rows import needs_receipts, opening_rows, since_s
from tidegate.gateway.past_rows import rows as rows_of
from tidegate.stores.errors import StoreError
from tidegate.stores.redis_wants import Want
from tidegate.stores.spend_reader import Amounts, Snapshot, SpendReader
from tidegate.stores.spending import spent_by_target, spent_nanousd

_TRIES = 5
_NOWHERE = (-1, 0)


class Question(Struct, frozen=True, eq=False):
    """What was spent of one limit in one scope since then (wall clock)."""

    it: InForce
    scope: str
    since_s: float


class Found(Struct):
    """Amounts for each question, of everything before `end` in the asking gateway's own journal.

    `whole` False: something of that journal was gone before it was read. Ask again.
    """

    amounts: list[Amounts]
    end: Position
    whole: bool = True

    def add(self, questions: list[Question], receipts: Iterable[Receipt]) -> None:
        """Adds these receipts where they count."""
        by_limit: dict[InForce, dict[str, Amounts]] = {}
        for question, amounts in zip(questions, self.amounts, strict=True):
            by_limit.setdefault(question.it, {})[question.scope] = amounts
        for receipt in receipts:
            for part, spent in spent_by_target(receipt):
                for it, scopes in by_limit.items():
                    scope = it.scope_of(part)
                    if scope in scopes and it.applies(part):
                        scopes[scope].append((part.started_at_s, spent))


class PastReader:
    """Use it from one thread at a time."""

    def __init__(self, ledger: SpendReader, journals: Path, gateway: str) -> None:
        self._ledger = ledger
        self._journals = journals
        self._gateway = gateway

    def read(self, questions: list[Question]) -> Found:
        """StoreUnavailable, OSError."""
        found, positions = self._read(questions)
        for _ in range(_TRIES):
            # A segment goes once the ledger is beyond it: was one needed that is gone already?
            before = positions
            with self._ledger.snapshot() as snapshot:
                positions = snapshot.positions()
            if all(it[0] == before.get(name, _NOWHERE)[0] for name, it in positions.items()):
                return found
            found, positions = self._read(questions)
        found.whole = False
        return found

    def read_on(self, questions: list[Question], found: Found) -> None:
        """Adds what has come to the gateway's own journal since."""
        tail = read_tail(self._journals / self._gateway, found.end)
        found.add(questions, tail.receipts)
        found.end = tail.end
        found.whole = found.whole and tail.whole

    def everything(
        self, limits: Sequence[InForce], unwritten: Iterable[Receipt], wall_s: float
    ) -> list[Want]:
        """Rows of all that these limits count, also of receipts that are not on disk yet.
        StoreError, OSError."""
        for _ in range(_TRIES):
            rows, positions = self._everything(limits, unwritten, wall_s)
            with self._ledger.snapshot() as snapshot:
                now = snapshot.positions()
            if all(it[0] == positions.get(name, _NOWHERE)[0] for name, it in now.items()):
                return rows
        raise StoreError("the journals are read away faster than they can be followed")

    def _everything(
        self, limits: Sequence[InForce], unwritten: Iterable[Receipt], wall_s: float
    ) -> tuple[list[Want], dict[str, Position]]:
        rows: list[Want] = []
        with self._ledger.snapshot() as snapshot:
            positions = snapshot.positions()
            tails = self._tails(positions)
            beyond = list(_unrecorded(snapshot, tails, unwritten))
            for by_receipt in (False, True):
                some = [it for it in limits if needs_receipts(it) is by_receipt]
                if some:
                    start_s = min(since_s(it, wall_s) for it in some)
                    recorded = snapshot.every(start_s, rolled_up=not by_receipt)
                    late = chain.from_iterable(map(spent_by_target, beyond))
                    rows += rows_of(some, chain(recorded, late), wall_s)
                    rows += opening_rows(some, snapshot.openings(start_s), wall_s)
        return rows, positions

    def recorded(self, ids: Sequence[str]) -> set[str]:
        """Those of these receipts that are in the ledger. StoreError, OSError."""
        with self._ledger.snapshot() as snapshot:
            return snapshot.recorded(ids)

    def receipt(self, id: str) -> Receipt | None:
        """The same of one, whole; None where it does not have it."""
        with self._ledger.snapshot() as snapshot:
            return snapshot.receipt(id)

    def holds(
        self, since_s: float, most: int, late: bool = False, team: str | None = None
    ) -> list[Receipt]:
        """What batches held since then, and what of that has ended, of all or of one team; with
        `late` also what is in this machine's journals alone. StoreError, OSError."""
        beyond: list[Receipt] = []
        if late:  # read first: what leaves the journals then is in the ledger
            with self._ledger.snapshot() as snapshot:
                positions = snapshot.positions()
            beyond = [one for tail in self._tails(positions).values() for one in tail.receipts]
        with self._ledger.snapshot() as snapshot:
            found = {one.id: one for one in snapshot.holds(since_s, most, team)}
        for one in beyond:
            if (
                one.purpose == BATCH_HOLD
                and one.started_at_s >= since_s
                and team in (None, one.team)
            ):
                found.setdefault(one.id, one)
        return list(found.values())

    def close(self) -> None:
        self._ledger.close()

    def _read(self, questions: list[Question]) -> tuple[Found, dict[str, Position]]:
        with self._ledger.snapshot() as snapshot:
            positions = snapshot.positions()
            amounts = [snapshot.spent(one.it.limit, one.scope, one.since_s) for one in questions]
            found = Found(amounts, (0, 0))
            tails = self._tails(positions)
            if self._gateway in tails:
                found.end = tails[self._gateway].end
            found.add(questions, _unrecorded(snapshot, tails))
        return found, positions

    def _tails(self, positions: dict[str, Position]) -> dict[str, Tail]:
        """Of every gateway whose journal lies here, also of those that are no more.

        Segments before the position are there when a crash kept them from being deleted, or when
        a folder was emptied and counts from one again: as the recorder will, they are read.
        """
        tails = {}
        for folder in self._journals.iterdir():
            if folder.is_dir():
                start = positions.get(folder.name, (0, 0))
                tails[folder.name] = read_tail(folder, start, older=True)
        return tails


def _unrecorded(
    snapshot: Snapshot, tails: dict[str, Tail], unwritten: Iterable[Receipt] = ()
) -> Iterable[Receipt]:
    """Each receipt once, and none that the ledger has."""
    by_id = {
        receipt.id: receipt
        for receipts in (*(tail.receipts for tail in tails.values()), unwritten)
        for receipt in receipts
        if spent_nanousd(receipt)
    }
    for one in snapshot.recorded(by_id):
        del by_id[one]
    return by_id.values()
