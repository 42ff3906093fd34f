"""Whether every machine digests keys under the same peppers: the database keeps what tells them
apart, and never a pepper."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Engine, insert, select

from tidegate.stores import database
from tidegate.stores.schema import meta


def differing(engine: Engine, peppers: Mapping[int, bytes]) -> list[int]:
    """Versions of which another machine has another pepper; those not seen before are noted.
    StoreError."""
    prints = {
        f"pepper {version}": (version, hashlib.sha256(b"tidegate pepper\0" + pepper).hexdigest())
        for version, pepper in peppers.items()
    }
    with database.writing(engine) as connection:
        query = select(meta.c.name, meta.c.value).where(meta.c.name.in_(prints))
        known = {row.name: row.value for row in connection.execute(query)}
        new = [{"name": n, "value": p} for n, (_, p) in prints.items() if n not in known]
        if new:
            connection.execute(insert(meta), new)
    return [version for name, (version, found) in prints.items() if known.get(name, found) != found]
