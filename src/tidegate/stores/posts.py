"""Where each thing was posted that people are told of by a way whose posts can be changed, so that
whichever process goes on changes the same post."""

from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, select

from tidegate.stores import database
from tidegate.stores.schema_posts import posts

MOST_NOTICES: Final = 20  # of a post, the newest

_ids = msgspec.json.Decoder(tuple[str, ...]).decode
_p = posts.c


class Post(Struct, frozen=True):
    """The post of a thing: first made at `at_s`, in the channel that was `declared` then. `notices`
    are the ids of what it has told, the oldest first."""

    way: str
    thing: str
    declared: str
    channel: str
    ts: str
    at_s: float
    notices: tuple[str, ...] = ()


def find(connection: Connection, way: str, thing: str) -> Post | None:
    query = select(posts).where(_p.way == way, _p.thing == thing)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Post(**{**row, "notices": _ids(row["notices"])})


def keep(connection: Connection, post: Post) -> None:
    """From now on this is the post of its thing."""
    values = asdict(post)
    values["notices"] = msgspec.json.encode(post.notices[-MOST_NOTICES:]).decode()
    known = list(posts.primary_key.columns)
    new = {name: value for name, value in values.items() if name not in ("way", "thing")}
    statement = database.upsert(connection, posts).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=known, set_=new))


def forget(connection: Connection, way: str, thing: str) -> None:
    """The thing has no post any more."""
    connection.execute(delete(posts).where(_p.way == way, _p.thing == thing))


def trim(connection: Connection, before_s: float) -> int:
    """Drop what was posted before; returns how many."""
    return connection.execute(delete(posts).where(_p.at_s < before_s)).rowcount
