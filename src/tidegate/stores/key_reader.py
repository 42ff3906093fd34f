"""What a gateway reads from the database: one key by its id, and its journal's position.

Each read is its own short transaction, so it never holds up a checkpoint.
"""

from pathlib import Path
from typing import Any

import msgspec

from tidegate.core.caller import Revocation
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.read_only import ReadOnly
from tidegate.stores.shared import Shared, name_everywhere

_FIELDS = (
    "id",
    "digest",
    "pepper_version",
    "name",
    "team",
    "created_at_s",
    "routes",
    "customer",
    "environment",
    "purpose",
    "priority",
    "attributes",
    "expires_at_s",
    "revoked_at_s",
    "limits",
)
_KEY = (
    "SELECT id, digest, pepper_version, name, team, created_at_s, routes, customer, environment,"
    " purpose, priority, attributes, expires_at_s, revoked_at_s, limits FROM keys WHERE id = ?"
)
_REVOCATION = "SELECT id, before_s, at_s FROM caller_revocations WHERE id = ?"
_POSITION = 'SELECT segment, "offset" FROM journal_positions WHERE gateway = ?'

_routes = msgspec.json.Decoder(tuple[str, ...]).decode
_attributes = msgspec.json.Decoder(dict[str, str]).decode
_limits = msgspec.json.Decoder(KeyLimits).decode


class KeyReader(ReadOnly):
    """Every method raises StoreUnavailable when the database cannot be read."""

    def __init__(self, place: Path | Shared, *, timeout_s: float = 0.25) -> None:
        super().__init__(place, timeout_s=timeout_s)
        self._node = place.node if isinstance(place, Shared) else ""

    def get(self, key_id: str) -> KeyRecord | None:
        """The key of this id, revoked or not; None when there is none."""
        row = self._one(_KEY, key_id)
        if row is None:
            return None
        values = dict(zip(_FIELDS, row, strict=True))
        try:
            values["routes"] = _routes(values["routes"])
            values["attributes"] = _attributes(values["attributes"])
            values["limits"] = None if values["limits"] is None else _limits(values["limits"])
            return msgspec.convert(values, KeyRecord, strict=True)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreUnavailable(f"{self._path}: key {key_id} is unreadable") from error

    def revoked(self, ids: tuple[str, ...]) -> list[Revocation]:
        """What was said of these callers, issuers and tokens."""
        with self.reading() as connection:
            rows = [connection.execute(_REVOCATION, (one,)).fetchone() for one in ids]
        return [Revocation(*row) for row in rows if row is not None]

    def journal_position(self, gateway: str) -> tuple[int, int] | None:
        """(segment, offset) up to which this gateway's journal is in the ledger; None: nothing."""
        row = self._one(_POSITION, name_everywhere(self._node, gateway))
        return None if row is None else (row[0], row[1])

    def _one(self, query: str, argument: str) -> tuple[Any, ...] | None:
        with self.reading() as connection:
            row: tuple[Any, ...] | None = connection.execute(query, (argument,)).fetchone()
        return row
