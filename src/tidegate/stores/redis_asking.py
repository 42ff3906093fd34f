"""Asks Redis for counters: one script for each group of them, all or none."""

from collections.abc import Sequence
from typing import Final

from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_epoch import Epoch
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_scripts import Scripts, epoch_key, run
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_wants import (
    Away,
    Granted,
    Refused,
    Unlearnt,
    Want,
    answer,
    keys_of,
    word,
)
from tidegate.stores.redis_wire import RedisAway, RedisUnavailable

_WORDS: Final = 12  # of a want, beside its two keys

# A want, its place among all that were wanted, and the hold's id, amount and arguments.
Asked = tuple[int, Want, bytes]
# Why nothing was taken. `index` is the place of the want.
No = Refused | Unlearnt | Away


class Asking:
    """The way to Redis, as both modes take it. `passed` counts wants that passed uncounted."""

    def __init__(self, link: RedisLink, scripts: Scripts, epoch: Epoch, settling: Settling) -> None:
        self._link = link
        self._script = scripts.take
        self._epoch = epoch
        self._settling = settling
        self.passed = 0

    @property
    def open(self) -> bool:
        """Whether there is anybody to ask."""
        return self._link.open and self._epoch.token is not None

    async def take(
        self, id: str, group: str | None, asked: Sequence[Asked]
    ) -> list[Granted] | No | None:
        """Takes holds of that id, all or none. None: all are soft and were let pass uncounted."""
        doubtful = True
        try:
            granted = await self.ask(group, asked)
            doubtful = False
            return granted
        except RedisAway:
            doubtful = False
            return self._unasked(asked)
        except StoreUnavailable:
            return self._unasked(asked)
        finally:  # the caller may have gone in between, too
            if doubtful:
                self.undo(id, asked)

    def undo(self, id: str, asked: Sequence[Asked]) -> None:
        """What may have been taken is not held. What is not there is passed over."""
        for _, want, _ in asked:
            self._settling.add(Return(want, id, 0))

    async def ask(
        self, group: str | None, asked: Sequence[Asked], verb: str = "take"
    ) -> list[Granted] | Refused | Unlearnt:
        """Raises RedisAway when nothing was taken; after RedisUnavailable and RedisRefused that is
        not known."""
        wants = [want for _, want, _ in asked]
        granted = await self._ask(group, wants, verb, asked)
        if granted is None:
            try:
                await self._epoch.join(self._link, group)
            except RedisUnavailable as error:
                raise RedisAway(str(error)) from error
            granted = await self._ask(group, wants, verb, asked)
        if granted is None:
            raise RedisAway("counters in Redis are not good yet")
        if isinstance(granted, Refused):
            return Refused(asked[granted.index][0], granted.reading)
        if isinstance(granted, Unlearnt):
            return Unlearnt(asked[granted.index][0])
        return granted

    async def _ask(
        self, group: str | None, wants: list[Want], verb: str, asked: Sequence[Asked]
    ) -> list[Granted] | Refused | Unlearnt | None:
        token, name = self._epoch.token, self._epoch.name
        if token is None or not self._link.open:
            raise RedisAway("Redis is away, or its counters are not good yet")
        keys = epoch_key(group, self._epoch.space) + b"".join(keys_of(want, name) for want in wants)
        rest = b"".join((word(token), word(verb), *(words for _, _, words in asked)))
        count = len(wants)
        reply = await run(
            self._link, self._script, (keys, 1 + 2 * count), (rest, 2 + _WORDS * count)
        )
        return answer(wants, reply)

    def _unasked(self, asked: Sequence[Asked]) -> Away | None:
        away = first_hard(asked)
        if away is None:
            self.passed += len(asked)
        return away


def first_hard(asked: Sequence[Asked]) -> Away | None:
    """Who of those that could not be asked may not pass; None when all may."""
    return next((Away(place) for place, want, _ in asked if want.quota.hard), None)


def by_group(asked: Sequence[Asked]) -> list[tuple[str | None, list[Asked]]]:
    """Teams first: a refusal of theirs must not have touched what others share."""
    groups: dict[str | None, list[Asked]] = {}
    for one in asked:
        groups.setdefault(one[1].group, []).append(one)
    return sorted(groups.items(), key=lambda item: item[0] is None)
