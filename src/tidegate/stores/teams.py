"""Teams as records: what a team's keys may call, its limits, and the lead who serves it.

Keys and receipts name a team by its id; a team without a record has no lead and no bound on what
its keys may call. Each change puts its audit row in the caller's transaction.
"""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.stores import audit, database
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.schema_budgets import teams

_routes = msgspec.json.Decoder(tuple[str, ...]).decode
_json = msgspec.json.Encoder(order="deterministic").encode


class TeamExists(StoreError):
    """A team of this id is there already."""


class TeamNotFound(StoreError):
    """There is no team of this id."""


class TeamRecord(Struct, frozen=True):
    """One team. `routes` is what its keys may call, `lead` the name of the person whose token
    has the digest `lead_digest` (HMAC-SHA256 under a pepper). None is no limit."""

    id: str
    alias: str
    routes: tuple[str, ...]
    created_at_s: float
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_parallel_requests: int | None = None
    lead: str | None = None
    lead_digest: bytes | None = None

    def may_grant(self, routes: tuple[str, ...]) -> bool:
        """Whether a key of this team may have `routes`."""
        return EVERY_ROUTE in self.routes or set(routes) <= set(self.routes)


def add(connection: Connection, team: TeamRecord, author: Author) -> None:
    """TeamExists when the id is taken."""
    if get(connection, team.id) is not None:
        raise TeamExists(f"team {team.id} exists")
    connection.execute(insert(teams).values(_values(team)))
    audit.append(connection, author, "team.create", team.id, _told(team))


def change(connection: Connection, team: TeamRecord, author: Author, what: str) -> None:
    """Store the team as it is now; `what` is the audit's verb. TeamNotFound."""
    statement = update(teams).where(teams.c.id == team.id).values(_values(team))
    if not connection.execute(statement).rowcount:
        raise TeamNotFound(f"there is no team {team.id}")
    audit.append(connection, author, what, team.id, _told(team))


def remove(connection: Connection, team_id: str, author: Author) -> None:
    """TeamNotFound. What its keys and its budget come to is the caller's."""
    if not connection.execute(delete(teams).where(teams.c.id == team_id)).rowcount:
        raise TeamNotFound(f"there is no team {team_id}")
    audit.append(connection, author, "team.delete", team_id)


def get(connection: Connection, team_id: str) -> TeamRecord | None:
    row = connection.execute(select(teams).where(teams.c.id == team_id)).one_or_none()
    return None if row is None else _team(row)


def every(connection: Connection) -> list[TeamRecord]:
    """All of them, by id."""
    return [_team(row) for row in connection.execute(select(teams).order_by(teams.c.id))]


def find(engine: Engine, team_id: str) -> TeamRecord | None:
    """One team, in a transaction of its own."""
    with database.reading(engine) as connection:
        return get(connection, team_id)


def led_by(engine: Engine, digests: list[bytes]) -> TeamRecord | None:
    """The team whose lead's token has one of these digests."""
    query = select(teams).where(teams.c.lead_digest.in_(digests))
    with database.reading(engine) as connection:
        row = connection.execute(query).first()
    return None if row is None else _team(row)


def _values(team: TeamRecord) -> dict[str, Any]:
    return {**msgspec.structs.asdict(team), "routes": _json(team.routes).decode()}


def _team(row: "Row[tuple[Any, ...]]") -> TeamRecord:
    values = dict(row._mapping)
    return TeamRecord(**{**values, "routes": _routes(values["routes"])})


def _told(team: TeamRecord) -> str:
    lead = f", led by {team.lead}" if team.lead else ""
    return f"{team.alias}, routes {', '.join(team.routes)}{lead}"
