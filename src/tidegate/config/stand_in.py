"""A value of each shape, in place of one that cannot be read, so that reading goes on."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tidegate.config.shape import Choice, Items, OneOf, Record, Scalar, Shape, Table
from tidegate.core.address import Listen
from tidegate.core.database_ref import CountersRef, DatabaseRef, VectorsRef
from tidegate.core.declared_budgets import Period
from tidegate.core.secret import SecretRef

_SCALARS: Mapping[str, Any] = {
    "int": 1,
    "float": 1.0,
    "share": 1.0,
    "duration": 1.0,
    "size": 1024,
    "bool": False,
    "usd": Decimal(0),
    "money": Decimal(1),
    "quantity": 1,
    "percent": 1,
    "percentage": Decimal(99),
    "moment": 0.0,
    "rate_period": 1.0,
    "budget_period": Period(unit="year"),
    "time_zone": "UTC",
    "scope": "global",
    "url": "http://stand-in.invalid",
    "listen": Listen("127.0.0.1", 0),
    "value": "null",
    "secret": SecretRef(),
    "database": DatabaseRef(),
    "counters": CountersRef(),
    "vectors": VectorsRef(),
}


def stand_in(shape: Shape) -> Any:
    """A value that compiles as far as one of this shape can."""
    match shape:
        case Record():
            return shape.cls(**{k.name: stand_in(k.shape) for k in shape.keys if k.required})
        case Table():
            return {}
        case Items():
            return ()
        case Choice():
            return shape.values[0]
        case OneOf():
            return stand_in(shape.options[0])
        case Scalar():
            return _SCALARS.get(shape.read, "")
