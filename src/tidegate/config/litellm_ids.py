"""What LiteLLM's teams, users and budgets are called here: two of theirs never become one."""

import hashlib
import re
from typing import Final

from tidegate.config.litellm_columns import text_of

PERSONAL: Final = "personal"
_TEAM_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOST_BUDGET_NAME: Final = 64


def digest(*of: str) -> str:
    """What tells these from any others, in 32 digits."""
    return hashlib.sha256("\x1f".join(of).encode()).hexdigest()[:32]


def id_of(theirs: str, most: int) -> str:
    """An id of at most so many printable letters: theirs where it is one."""
    text = text_of(theirs, most)
    return theirs if text == theirs else f"{text[: most - 33]}~{digest(theirs)}"


def team_id(theirs: str) -> str:
    """What a team of theirs is called here."""
    if theirs != PERSONAL and _TEAM_ID.fullmatch(theirs):
        return theirs
    return f"team-{digest(theirs)}"


def budget_name(kind: str, *of: str) -> str:
    """What a budget of theirs is called, so that people know whose it is."""
    plain = ".".join((kind, *of))
    if all(map(_PLAIN.fullmatch, of)) and len(plain) <= _MOST_BUDGET_NAME:
        return plain
    return f"{_UNFIT.sub('-', plain)[:47]}-{digest(*of)[:16]}"


def customer_budget_name(user: str) -> str:
    """As `/customer/...` of control names the budget of an end user."""
    name = f"customer.{user}"
    if _PLAIN.fullmatch(user) and len(name) <= _MOST_BUDGET_NAME:
        return name
    return f"customer.-{digest(user)}"
