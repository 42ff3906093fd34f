"""Callers without a key: who of them is let in no more, and again."""

from msgspec import structs
from sqlalchemy import Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_callers import (
    CallerChanged,
    CallerMeant,
    CallerRevocation,
    RevokedList,
    RevokedView,
)
from tidegate.core.caller import Meant
from tidegate.stores import callers, database
from tidegate.stores.callers import Revoked


async def _revoke(call: Call) -> CallerChanged:
    asked: CallerRevocation = call.body
    meant = _meant(call, asked)
    seq = await call.desk.store(callers.revoke, meant, asked.before_s, author(call))
    return CallerChanged(meant.id, meant.issuer, await call.desk.obeyed(seq))


async def _restore(call: Call) -> CallerChanged:
    meant = _meant(call, call.body)
    seq = await call.desk.store(callers.restore, meant, author(call))
    if seq is None:
        raise ApiError("not_found", f"Nothing was revoked of {meant}.")
    return CallerChanged(meant.id, meant.issuer, await call.desk.obeyed(seq))


async def _list(call: Call) -> RevokedList:
    found = await call.desk.store(_find)
    return RevokedList([RevokedView(**structs.asdict(one)) for one in found])


ROWS = (
    Row("GET", "/api/callers/revocations", "viewer", _list),
    Row("POST", "/api/callers/revoke", "operator", _revoke, body=CallerRevocation),
    Row("POST", "/api/callers/restore", "operator", _restore, body=CallerMeant),
)


def _meant(call: Call, asked: CallerMeant) -> Meant:
    if asked.subject is not None and asked.token_id is not None:
        message = "Name a subject or a token: who holds a token is not asked."
        raise ApiError("invalid_request", message, param="token_id")
    known = call.desk.plans.declared.callers
    issuers = {name: one.issuer for name, one in known.items()}
    issuer = issuers.get(asked.issuer, asked.issuer)
    if issuer not in issuers.values() and "://" not in issuer:  # such as a name that is misspelt
        named = ", ".join(issuers) or "none"
        message = f"The plan has no issuer of that name or address; its issuers: {named}."
        raise ApiError("not_found", message, param="issuer")
    return Meant(issuer, asked.subject, asked.token_id)


def _find(engine: Engine) -> list[Revoked]:
    with database.reading(engine) as connection:
        return callers.find(connection)
