"""Published plans, as the feed carries them to every machine."""

from msgspec import Raw, Struct
from sqlalchemy import Connection, delete, func, insert, select

from tidegate.stores.errors import StoreError
from tidegate.stores.schema_shared import plans

_KEPT = 5


class PlanSuperseded(StoreError):
    """Another control has published this version, or a later one, with other content."""


def add(connection: Connection, version: int, plan: bytes, at_s: float) -> None:
    """Keep a plan, in a transaction of its own kind's turn. PlanSuperseded."""
    newest = newest_version(connection)
    if newest > version:
        raise PlanSuperseded(f"plan version {newest} was published, above {version}")
    kept = connection.execute(select(plans.c.plan).where(plans.c.version == version)).scalar()
    if kept is None:
        connection.execute(insert(plans).values(version=version, plan=plan, at_s=at_s))
        connection.execute(delete(plans).where(plans.c.version <= version - _KEPT))
    elif bytes(kept) != plan:
        raise PlanSuperseded(f"another plan was published as version {version}")


class StoredPlan(Struct, frozen=True):
    """One version, as MessagePack of core.plan.Plan."""

    version: int
    plan: Raw


def newest(connection: Connection) -> StoredPlan | None:
    """The plan in force, None before the first."""
    query = select(plans.c.version, plans.c.plan).order_by(plans.c.version.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else StoredPlan(row[0], Raw(bytes(row[1])))


def newest_version(connection: Connection) -> int:
    """0 before the first."""
    return connection.execute(select(func.max(plans.c.version))).scalar() or 0
