"""What people are told of changes by people: that one waits for their approval, that releases are
frozen, and that one which was scheduled did not begin."""

from typing import Final

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.core.change import Change
from tidegate.core.controller import Tell
from tidegate.core.levers import EVERY
from tidegate.stores import notices

_TOLD_FOR_S: Final = 86_400.0
_FROZEN = "frozen"


def waits(connection: Connection, change: Change, needs: int, now_s: float) -> None:
    """That so many have to say yes, until they have or its time is over."""
    text = f"{_said(change)} `tidegate change approve {change.id}`; {needs} have to."
    title = f"A change waits for approval: {_what(change)}"
    notices.note(connection, _tell(change, "waits", title, text), now_s)


def approved(connection: Connection, change: Change, now_s: float) -> None:
    """That it waits for nobody any more."""
    _resolve(connection, change, "waits", "It is approved.", now_s)


def begins(connection: Connection, change: Change, now_s: float) -> None:
    """That it holds, where that is a freeze; and it waits for nobody any more."""
    approved(connection, change, now_s)
    if change.lever == _FROZEN and change.value:
        whose = "every route" if change.scope == EVERY else change.scope
        title = f"No release of {whose} moves on"
        told = replace(_tell(change, _FROZEN, title, _said(change)), severity="info")
        notices.note(connection, told, now_s)


def ends(connection: Connection, change: Change, now_s: float) -> None:
    """That somebody ended it."""
    for what in ("waits", _FROZEN):
        _resolve(connection, change, what, "Somebody has ended the change.", now_s)


def never_begins(connection: Connection, change: Change, why: str, now_s: float) -> None:
    """That it was scheduled and could not begin."""
    _resolve(connection, change, "waits", why, now_s)
    title = f"A scheduled change did not begin: {_what(change)}"
    told = _tell(change, "missed", title, f"{_said(change)} It holds nothing: {why}.")
    notices.note(connection, replace(told, until_s=now_s + _TOLD_FOR_S), now_s)


def _tell(change: Change, what: str, title: str, text: str) -> Tell:
    return Tell(
        topic="change",
        key=f"change/{change.id}/{what}",
        severity="ticket",
        title=title,
        text=text,
        until_s=change.until_s,
    )


def _resolve(connection: Connection, change: Change, what: str, text: str, now_s: float) -> None:
    notices.note(connection, replace(_tell(change, what, "", text), resolved=True), now_s)


def _what(change: Change) -> str:
    return f"{change.lever} of {change.scope or 'everything'} at {change.value:g}"


def _said(change: Change) -> str:
    return f"Change {change.id} of {change.author}: {change.reason}."
