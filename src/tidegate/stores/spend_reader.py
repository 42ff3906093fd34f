"""What was spent before a gateway counted: amounts by the time of their admission.

Most scopes are answered from the rollup, by quarter-hour. Where a scope is made of what only the
receipts tell (end user, session, trace, prompt, attribute), or a window is too short for quarters,
it is the receipts: a range of their index in time, and of end user, session or trace where one is.
Amounts stand at the end of the time they were summed up over, so that a rolling window lets
nothing go too early.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.earlier_cost import MARKER, EarlierCost
from tidegate.core.limit import ATTRIBUTE, SEPARATOR, TARGET_DIMENSIONS
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt, decode_payload
from tidegate.stores import _spend_sql as sql
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.read_only import Reading, ReadOnly
from tidegate.stores.shared import local_name
from tidegate.stores.spending import (
    IN_RECEIPTS,
    PROMPT,
    QUARTER_S,
    ROLLED_UP,
    opening_of,
    parted,
    quarter_of,
)

# A window as short as this, in quarters, would let go of its amounts a quarter too late.
EXACT_WINDOW_S: Final = 3600.0
# How far the time in a receipt's id may lie before the time that it says.
_ID_SLACK_S: Final = 1.0
_BEFORE_END_S: Final = 0.001
# What the query of details says of what served, in its order.
_SERVED: Final = {name: ROLLED_UP[name] for name in ("target", "model", "provider")}

Amounts = list[tuple[float, int]]


class _Detail(Struct):
    attributes: dict[str, str] | None = None
    prompt_fingerprint: str | None = None
    earlier_costs: list[EarlierCost] | None = None


_detail = msgspec.msgpack.Decoder(_Detail).decode


class Snapshot:
    """The ledger at one moment. Every method raises what SpendReader.snapshot translates."""

    def __init__(self, connection: Reading, node: str = "") -> None:
        self._connection = connection
        self._node = node

    def positions(self) -> dict[str, tuple[int, int]]:
        """(segment, offset) up to which the journal of each gateway of this machine is in the
        ledger."""
        rows = self._connection.execute(sql.POSITIONS)
        named = ((local_name(self._node, name), at) for name, *at in rows)
        return {name: (at[0], at[1]) for name, at in named if name is not None}

    def recorded(self, ids: Iterable[str]) -> set[str]:
        """Those of these receipts that are in the ledger."""
        asked = list(ids)
        found: set[str] = set()
        for at in range(0, len(asked), sql.RECORDED_AT_ONCE):
            some = asked[at : at + sql.RECORDED_AT_ONCE]
            some += some[:1] * (sql.RECORDED_AT_ONCE - len(some))
            found.update(id for (id,) in self._connection.execute(sql.RECORDED, some))
        return found

    def receipt(self, id: str) -> Receipt | None:
        """None where the ledger does not have it."""
        row = next(iter(self._connection.execute(sql.DETAIL, (id,))), None)
        return None if row is None else decode_payload(row[0])

    def holds(self, since_s: float, most: int, team: str | None = None) -> list[Receipt]:
        """What batches held since then, and what of that has ended, of all or of one team: at most
        so many. One that cannot be read, as a newer gateway's, takes no other along."""
        query, of = (sql.HOLDS, ()) if team is None else (sql.HOLDS_OF_TEAM, (team,))
        found = []
        for (payload,) in self._connection.execute(query, (_first_id_at(since_s), *of, most)):
            with suppress(msgspec.DecodeError):
                found.append(decode_payload(payload))
        return found

    def spent(self, limit: Limit, scope: str, since_s: float) -> Amounts:
        """(wall clock, nano-dollars) of what this limit counts since the quarter of `since_s`."""
        values: dict[str, str] = {}
        if limit.scope:
            values.update(zip(limit.scope, scope.split(SEPARATOR), strict=True))
        if any(values.setdefault(name, value) != value for name, value in limit.only):
            return []
        return [*self._recorded(limit, values, since_s), *self._opening(values, since_s)]

    def openings(self, since_s: float) -> Iterator[tuple[dict[str, str], float, int]]:
        """Every opening balance since then: whose it is by dimension, wall clock, nano-dollars."""
        for names, scope, at_s, nanousd in self._connection.execute(sql.EVERY_OPENING, (since_s,)):
            values = zip(names.split(","), scope.split(SEPARATOR), strict=True)
            yield dict(values) if names else {}, at_s, nanousd

    def _opening(self, values: Mapping[str, str], since_s: float) -> Amounts:
        """What exactly this scope had spent before Tidegate counted."""
        return list(self._connection.execute(sql.OPENING, (*opening_of(values), since_s)))

    def _recorded(self, limit: Limit, values: dict[str, str], since_s: float) -> Amounts:
        columns: dict[str, Any] = {
            column: values.get(name) for name, column in (*ROLLED_UP.items(), *IN_RECEIPTS.items())
        }
        told = {
            name: value
            for name, value in values.items()
            if name not in ROLLED_UP and name not in IN_RECEIPTS
        }
        quarter = quarter_of(since_s)
        bound = {**columns, "since_s": float(quarter * QUARTER_S), "quarter": quarter}
        bound["first_id"] = _first_id_at(bound["since_s"] - _ID_SLACK_S)
        served = {
            column: values[name] for name, column in TARGET_DIMENSIONS.items() if name in values
        }
        if told:
            text = next(iter(told.values())).encode()
            return self._told_in_detail({**bound, "text": text}, values, told, served)
        queries, width_s, apart = sql.ROLLUP_BY, QUARTER_S, Amounts()
        if values.keys() & IN_RECEIPTS.keys() or 0 < (limit.per_s or 0) <= EXACT_WINDOW_S:
            queries, width_s = sql.RECEIPTS_BY, 1
            bound["without"] = MARKER if served else None
            if served:
                apart = self._told_in_detail({**bound, "text": MARKER}, values, {}, served)
        rows = self._connection.execute(_leading(queries, values), bound)
        return [*(((at + 1) * width_s - _BEFORE_END_S, amount) for at, amount in rows), *apart]

    def every(self, since_s: float, *, rolled_up: bool) -> Iterator[tuple[Receipt, int]]:
        """All that was spent since the quarter of `since_s`, in nano-dollars: by receipt, or as
        the rollup has it, with what stands for many receipts of a quarter at its end. They tell
        what a scope is made of and when, and nothing else."""
        quarter = quarter_of(since_s)
        if rolled_up:
            for amount, at, *values in self._connection.execute(sql.EVERY_QUARTER, (quarter,)):
                at_s = (at + 1) * QUARTER_S - _BEFORE_END_S
                yield _standing_for(ROLLED_UP, values, at_s), amount
            return
        start_s = float(quarter * QUARTER_S)
        bound = (_first_id_at(start_s - _ID_SLACK_S), start_s)
        columns = {**ROLLED_UP, **IN_RECEIPTS}
        for amount, at_s, payload, *values in self._connection.execute(sql.EVERY_RECEIPT, bound):
            receipt, detail = _standing_for(columns, values, at_s), _detail(payload)
            receipt.attributes = detail.attributes
            receipt.prompt_fingerprint = detail.prompt_fingerprint
            yield from parted(receipt, amount, detail.earlier_costs or ())

    def _told_in_detail(
        self,
        bound: dict[str, Any],
        values: Mapping[str, str],
        told: Mapping[str, str],
        served: Mapping[str, str],
    ) -> Amounts:
        """What has no column lies in the receipt's own bytes: only those are read that hold the
        text that is asked for. `served` are columns of what served, which may differ by attempt."""
        amounts: Amounts = []
        rows = self._connection.execute(_leading(sql.DETAILS_BY, values), bound)
        for at_s, spent, payload, *there in rows:
            detail = _detail(payload)
            if not _tells(detail, told):
                continue
            last = _standing_for(_SERVED, there, at_s)
            amounts += [
                (at_s, nanousd)
                for part, nanousd in parted(last, spent, detail.earlier_costs or ())
                if all(getattr(part, column) == value for column, value in served.items())
            ]
        return amounts


class SpendReader(ReadOnly):
    """Reads for at most `timeout_s` at once. `snapshot` raises StoreUnavailable."""

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One read transaction: all that is asked within belongs to one moment."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            try:
                yield Snapshot(connection, self._shared.node if self._shared else "")
            except msgspec.DecodeError as error:
                raise StoreUnavailable(f"{self._path}: a receipt is unreadable") from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _leading(queries: Mapping[str | None, str], values: Mapping[str, str]) -> str:
    """The query that the first of these dimensions leads which has an index of its own."""
    return queries[next((name for name in queries if name in values), None)]


def _standing_for(columns: Mapping[str, str], values: list[Any], at_s: float) -> Receipt:
    receipt = Receipt("", at_s, "", "chat")
    for name, value in zip(columns.values(), values, strict=True):
        setattr(receipt, name, value or None)
    return receipt


def _tells(detail: _Detail, told: Mapping[str, str]) -> bool:
    values = {ATTRIBUTE + name: value for name, value in (detail.attributes or {}).items()}
    values[PROMPT] = detail.prompt_fingerprint or ""
    return all(values.get(name) == value for name, value in told.items())


def _first_id_at(at_s: float) -> str:
    """The text before which the id of every receipt made before `at_s` sorts."""
    milliseconds = f"{max(int(at_s * 1000), 0):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"
