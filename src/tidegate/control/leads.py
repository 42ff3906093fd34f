"""Leads of teams: each has one token, kept as a digest under the pepper of its making."""

import asyncio
import re
import string
from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control.errors import ApiError
from tidegate.control.operators import Operator
from tidegate.core import clock
from tidegate.core.key import digest_of
from tidegate.stores import teams
from tidegate.stores.errors import StoreError

PREFIX = "tg-lead-"
_RANDOM_LENGTH = 43  # 256 bits in 62 letters
_ALPHABET = string.ascii_letters + string.digits
_TOKEN = re.compile(rb"tg-lead-[A-Za-z0-9]{43}")


def new_token() -> str:
    """A fresh token of a lead. Shown once."""
    return PREFIX + clock.random_text(_ALPHABET, _RANDOM_LENGTH)


class Leads:
    """Who leads which team, by token. `peppers` gives those in use, by version."""

    def __init__(self, engine: Engine, peppers: Callable[[], dict[int, bytes]]) -> None:
        self._engine = engine
        self._peppers = peppers

    async def find(self, token: bytes) -> Operator | None:
        """The lead whose token this is. ApiError when the store fails."""
        if not _TOKEN.fullmatch(token):
            return None
        digests = [digest_of(token, pepper) for pepper in self._peppers().values()]
        try:
            team = await asyncio.to_thread(teams.led_by, self._engine, digests)
        except StoreError as error:
            raise ApiError("store_unavailable", f"The database cannot be used: {error}") from error
        if team is None or team.lead is None:
            return None
        return Operator(f"{team.lead} (lead of {team.id})", None, team)
