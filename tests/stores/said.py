"""Captured requests and feedback to be stored."""

from typing import Any

from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.capture import Captured
from tidegate.core.feedback import Feedback, Kind
from tidegate.core.receipt import Receipt
from tidegate.stores import database, schema_captured
from tidegate.stores.ledger import Ledger
from tidegate.stores.receipts import first_id_at

NOON_S = 1_790_000_000.0
DAY_S = 86_400.0


def captured(at_s: float = NOON_S, number: int = 0, **fields: Any) -> Captured:
    """Its id is of its time."""
    values: dict[str, Any] = {
        "route": "chat",
        "messages": '[{"role": "user", "content": "hi"}]',
        "answer": "hello",
        "purpose": "production",
        "until_s": at_s + 7 * DAY_S,
        **fields,
    }
    made_id = f"{first_id_at(at_s)}-7000-8000-{number:012x}"
    return Captured(receipt_id=values.pop("receipt_id", made_id), at_s=at_s, **values)


def feedback(receipt: Receipt | str, kind: Kind = "rating", **fields: Any) -> Feedback:
    """Of the key that made the request, unless it says otherwise."""
    receipt_id = receipt if isinstance(receipt, str) else receipt.id
    key_id = "k" if isinstance(receipt, str) else receipt.key_id
    values: dict[str, Any] = {"key_id": key_id, "at_s": NOON_S, **fields}
    return Feedback(receipt_id, kind=kind, **values)


def recorded(engine: Engine, **fields: Any) -> Receipt:
    """A receipt in the ledger."""
    made = rig.receipt(NOON_S, **{"key_id": "k", "route": "chat", **fields})
    Ledger(engine).write(rig.entries(made), [])
    return made


def table_bytes(engine: Engine) -> bytes:
    """Everything of both tables, as text."""
    tables = (schema_captured.captured, schema_captured.feedback)
    with database.reading(engine) as connection:
        rows = [tuple(row) for table in tables for row in connection.execute(table.select())]
    return repr(rows).encode()
