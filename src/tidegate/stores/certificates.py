"""Certificates as they are kept: written once, read by what they certify."""

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from tidegate.core.certificate import Certificate, Fingerprint
from tidegate.core.purpose import EVAL
from tidegate.stores import audit
from tidegate.stores.audit import Author
from tidegate.stores.schema import receipts
from tidegate.stores.schema_prompts import certificates as table

_LOOKED_AT: Final = 20_000
_TOLD: Final = b"model_fingerprint"


class _Detail(Struct):
    asked_digest: str | None = None
    model_fingerprint: str | None = None


_detail = msgspec.msgpack.Decoder(_Detail).decode
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Certificate).decode


def add(connection: Connection, certificate: Certificate) -> None:
    """Keep a new one."""
    connection.execute(
        insert(table).values(
            id=certificate.id,
            digest=certificate.digest,
            model=certificate.model,
            expires_at_s=certificate.expires_at_s,
            body=_encode(certificate).decode(),
        )
    )
    author = Author(certificate.author, certificate.issued_at_s)
    subject = f"{certificate.prompt}@{certificate.version}"
    said = f"{certificate.suite} at {certificate.model}"
    audit.append(connection, author, "certificate.issue", subject, said)


def of(connection: Connection, digest: str) -> list[Certificate]:
    """Of one version's digest, the newest first. What cannot be read certifies nothing."""
    query = select(table.c.body).where(table.c.digest == digest).order_by(table.c.id.desc())
    return _read([row.body for row in connection.execute(query)])


def of_each(connection: Connection, digests: Collection[str]) -> dict[str, list[Certificate]]:
    """Of each of these digests, the newest first."""
    query = select(table.c.digest, table.c.body).where(table.c.digest.in_(digests))
    found: dict[str, list[Certificate]] = {digest: [] for digest in digests}
    for digest, body in connection.execute(query.order_by(table.c.id.desc())):
        found[digest] += _read([body])
    return found


def stamp(connection: Connection) -> tuple[int, str | None]:
    """Another one where certificates came or went: how many there are, and the newest's id."""
    row = connection.execute(select(func.count(), func.max(table.c.id))).one()
    return row[0], row[1]


def of_model(connection: Connection, model: str) -> list[Certificate]:
    """Every one at a model."""
    query = select(table.c.body).where(table.c.model == model)
    return _read([row.body for row in connection.execute(query)])


def recent(connection: Connection, limit: int = 200) -> list[Certificate]:
    """The newest first."""
    query = select(table.c.body).order_by(table.c.id.desc()).limit(limit)
    return _read([row.body for row in connection.execute(query)])


class Answered(NamedTuple):
    """What the ledger has of a run: how many different questions the version answered at the model,
    how many answers are of anything else, which it was compared with, and the builds that answered
    it, as far as they are known."""

    questions: int
    others: int
    fingerprints: frozenset[Fingerprint] = frozenset()


def answers_of_run(connection: Connection, run: str, model: str, of: tuple[str, str]) -> Answered:
    """Of a prompt's version, by their names, at a model. A receipt that does not say what was asked
    bears nothing out, and repeats of a question are one."""
    c = receipts.c
    query = select(c.prompt, c.prompt_version, c.model_wanted, c.provider, c.detail).where(
        c.session_id == run, c.purpose == EVAL, c.error_code.is_(None)
    )
    questions, others, fingerprints = set(), 0, set()
    for prompt, version, wanted, provider, payload in connection.execute(query):
        if (prompt, version, wanted) == (*of, model):
            detail = _detail(payload)
            questions.add(detail.asked_digest)
            if detail.model_fingerprint is not None:
                fingerprints.add(Fingerprint(provider or "", detail.model_fingerprint))
        else:
            others += 1
    return Answered(len(questions - {None}), others, frozenset(fingerprints))


def snapshots_served(
    connection: Connection, since_s: float
) -> dict[tuple[str, str, str], dict[str, float]]:
    """What providers said had answered since then, by prompt, version and model, and when last. The
    newest receipts are looked at, a bounded number; of kept answers nobody was asked."""
    names = ("prompt", "prompt_version", "model_wanted", "model_served")
    newest = (
        select(*(receipts.c[name] for name in names), receipts.c.started_at_s)
        .where(receipts.c.attempts > 0)
        .order_by(receipts.c.id.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    columns = [newest.c[name] for name in names]
    rows = connection.execute(
        select(*columns, func.max(newest.c.started_at_s))
        .where(newest.c.prompt.is_not(None), newest.c.model_served.is_not(None))
        .where(newest.c.started_at_s >= since_s)
        .group_by(*columns)
    )
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in rows:
        found.setdefault((row[0], row[1], row[2]), {})[row[3]] = row[4]
    return found


def fingerprints_served(
    connection: Connection, since_s: float
) -> dict[tuple[str, str, str], dict[Fingerprint, float]]:
    """The builds that providers said had answered since then, by prompt, version and model, and
    when last. The newest receipts are looked at, a bounded number."""
    names = ("prompt", "prompt_version", "model_wanted", "provider", "started_at_s", "detail")
    newest = (
        select(*(receipts.c[name] for name in names))
        .order_by(receipts.c.id.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    columns = newest.c
    query = select(newest).where(columns.prompt.is_not(None), columns.started_at_s >= since_s)
    found: dict[tuple[str, str, str], dict[Fingerprint, float]] = {}
    for prompt, version, wanted, provider, at_s, payload in connection.execute(query):
        told = _detail(payload).model_fingerprint if _TOLD in payload else None
        if told is None:
            continue
        served = found.setdefault((prompt, version, wanted), {})
        fingerprint = Fingerprint(provider or "", told)
        served[fingerprint] = max(at_s, served.get(fingerprint, at_s))
    return found


def _read(bodies: list[str]) -> list[Certificate]:
    found = []
    for body in bodies:
        try:
            found.append(_decode(body))
        except (msgspec.DecodeError, RecursionError):
            continue
    return found
