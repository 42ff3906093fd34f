"""What is kept of prompts: what a version said when it was served first, where `stable`
pointed, and flips of tags."""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, delete, func, insert, select

from tidegate.core.prompt import Stood, TagFlip
from tidegate.stores import audit, database
from tidegate.stores.audit import Author
from tidegate.stores.schema_prompts import prompt_stood, prompt_versions, tag_flips

# So many steps back are remembered of each prompt.
_MOST_STOOD: Final = 20
# Of more prompts than these all are read.
_FEW: Final = 200


def known_versions(connection: Connection) -> dict[tuple[str, str], str]:
    """The digest of every version that was ever tagged, by prompt and version."""
    rows = connection.execute(select(prompt_versions))
    return {(row.prompt, row.version): row.digest for row in rows}


def note_versions(
    connection: Connection, fresh: Mapping[tuple[str, str], str], at_s: float
) -> None:
    """Keep what versions say that are tagged for the first time. What is there already stays."""
    known = known_versions(connection)
    rows = [
        {"prompt": prompt, "version": version, "digest": digest, "at_s": at_s}
        for (prompt, version), digest in fresh.items()
        if (prompt, version) not in known
    ]
    if rows:
        connection.execute(insert(prompt_versions), rows)


def stood(
    connection: Connection, names: Collection[str] | None = None
) -> dict[str, tuple[Stood, ...]]:
    """Where `stable` of these prompts, or of all, pointed, the last one last."""
    rows = _rows_of_stood(connection, names)
    return {name: tuple(it for _, it in found) for name, found in rows.items()}


def note_stood(connection: Connection, now: Mapping[str, Stood], at_s: float) -> None:
    """Keep where `stable` points now. Of prompts that have none it stays as it was. Where it has
    gone back, what it went back from is forgotten."""
    known, c = _rows_of_stood(connection, now), prompt_stood.c
    for name, it in now.items():
        rows = known.get(name, [])
        depth = next((depth for depth, at in rows if at == it), None)
        if depth is not None:
            if depth != rows[-1][0]:
                above = (c.prompt == name) & (c.depth > depth)
                connection.execute(delete(prompt_stood).where(above))
            continue
        depth = rows[-1][0] + 1 if rows else 0
        values = {"version": it.version, "digest": it.digest, "at_s": at_s}
        statement = database.upsert(connection, prompt_stood)
        statement = statement.values(prompt=name, depth=depth, **values)
        connection.execute(
            statement.on_conflict_do_update(index_elements=[c.prompt, c.depth], set_=values)
        )
        old = (c.prompt == name) & (c.depth <= depth - _MOST_STOOD)
        connection.execute(delete(prompt_stood).where(old))


def _rows_of_stood(
    connection: Connection, names: Collection[str] | None
) -> dict[str, list[tuple[int, Stood]]]:
    c = prompt_stood.c
    query = select(c.prompt, c.depth, c.version, c.digest).order_by(c.prompt, c.depth)
    if names is not None and len(names) <= _FEW:
        query = query.where(c.prompt.in_(names))
    found: dict[str, list[tuple[int, Stood]]] = {}
    for name, depth, version, digest in connection.execute(query):
        found.setdefault(name, []).append((depth, Stood(version, digest)))
    return found


def append_flip(connection: Connection, flip: TagFlip) -> TagFlip:
    """Keep it as the newest, in the transaction that compiles the plan with it; it, numbered."""
    newest = connection.execute(select(func.max(tag_flips.c.seq))).scalar() or 0
    kept = replace(flip, seq=newest + 1)
    connection.execute(insert(tag_flips).values(asdict(kept)))
    subject = f"{kept.prompt}:{kept.tag}"
    said = f"{kept.version or 'no version'}: {kept.reason}"
    audit.append(connection, Author(kept.author, kept.at_s), "prompt.tag", subject, said)
    return kept


def newest_flips(connection: Connection) -> tuple[TagFlip, ...]:
    """Of each prompt's tags the newest, in their order."""
    newest = (
        select(func.max(tag_flips.c.seq)).group_by(tag_flips.c.prompt, tag_flips.c.tag)
    ).scalar_subquery()
    query = select(tag_flips).where(tag_flips.c.seq.in_(newest)).order_by(tag_flips.c.seq)
    return tuple(TagFlip(**row._mapping) for row in connection.execute(query))


def flips(connection: Connection, prompt: str, limit: int = 100) -> list[TagFlip]:
    """Of one prompt, the newest first."""
    query = select(tag_flips).where(tag_flips.c.prompt == prompt)
    query = query.order_by(tag_flips.c.seq.desc()).limit(limit)
    return [TagFlip(**row._mapping) for row in connection.execute(query)]
