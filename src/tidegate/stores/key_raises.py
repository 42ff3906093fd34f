"""Raises of budgets that keys bring with them: they lie on the key, for gateways, and beside the
raises of other budgets, for whoever asks who approved what."""

from sqlalchemy import Connection

from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits, budget_name
from tidegate.stores import budgets
from tidegate.stores.audit import Author
from tidegate.stores.budgets import StoredRaise


def follow(connection: Connection, record: KeyRecord, author: Author, reason: str) -> None:
    """Notes the raises that the key has, in the caller's transaction: those that nobody noted are
    approved by the author, those that it has no more end."""
    name = budget_name(record.id)
    limits = record.limits or KeyLimits()
    missing = [(one.extra, one.until_s) for one in limits.raises if author.at_s < one.until_s]
    for noted in budgets.raises_in_force(connection, author.at_s, name):
        if (noted.extra_nanousd, noted.until_s) in missing:
            missing.remove((noted.extra_nanousd, noted.until_s))
        else:
            budgets.end_raise(connection, name, noted.id, author)
    for extra, until_s in missing:
        one = StoredRaise(
            *(0, name, extra, until_s, author.actor, reason),
            author=author.actor,
            at_s=author.at_s,
        )
        budgets.add_raise(connection, one)
