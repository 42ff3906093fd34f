"""What was spent before a counter was there comes into it, once, whoever asks first.

Counters of budgets that come and go beside the plan, such as those of keys, are not filled with
their epoch: they begin empty, are asked of by nobody, and are filled one by one from the ledger.
Who fills one has said so before it reads, so what is settled meanwhile is counted, twice at worst.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from tidegate.core import clock
from tidegate.core.limit import Rolling
from tidegate.stores.redis_epoch import Epoch
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_scripts import Scripts, epoch_key, words
from tidegate.stores.redis_wants import Want, keys_of, word, words_of
from tidegate.stores.redis_wire import RedisAway, Reply

# So long others wait for who fills; then another one begins.
FILL_S: Final = 5.0
_PATIENCE_S: Final = 1.0
_HEAD_WORDS: Final = 4
_ARGUMENTS: Final = 10
_KNOWN: Final = 1
_YOURS: Final = 2


class Learning:
    """Every method raises RedisUnavailable and RedisRefused."""

    def __init__(self, link: RedisLink, scripts: Scripts, epoch: Epoch) -> None:
        self._link = link
        self._script = scripts.learn
        self._epoch = epoch

    async def begin(self, want: Want) -> str | None:
        """The word with which the asker is to `fill` the counter, once it has read what was spent;
        None when it is filled, or somebody else is about to."""
        nonce = clock.random_bytes(6).hex()
        return nonce if await self._run("begin", nonce, want, ()) == _YOURS else None

    async def fill(self, want: Want, nonce: str, past: Iterable[tuple[float, int]]) -> bool:
        """Adds (wall clock, amount) of what counts still; False when it was another's to fill."""
        shape, parts = want.quota.shape, dict[int, int]()
        for at_s, amount in past:
            at_us = want.periods[1] * 1_000_000
            if isinstance(shape, Rolling):
                width_us = int(shape.window_s * 1e6 / shape.bins)
                at_us = int(at_s * 1e6) // width_us * width_us
            parts[at_us] = parts.get(at_us, 0) + amount
        rest = [value for at_us, amount in parts.items() for value in (amount, at_us)]
        return await self._run("fill", nonce, want, rest) == _KNOWN

    async def _run(self, verb: str, nonce: str, want: Want, amounts: Sequence[int]) -> Reply:
        token, name = self._epoch.token, self._epoch.name
        if token is None:
            raise RedisAway("counters in Redis are not good yet")
        keys = epoch_key(want.group, self._epoch.space) + keys_of(want, name)
        head, _ = words([token, verb, nonce, int(FILL_S * 1e6)])
        rest = head + words_of(want, want.quota.lease_s) + b"".join(map(word, amounts))
        count = _HEAD_WORDS + _ARGUMENTS + len(amounts)
        # By whoever waits anyway: no request's deadline, and nobody else is late for it.
        answer = await self._link.ask(self._script.by_text(keys, 3, rest, count), _PATIENCE_S)
        if answer == -1:
            raise RedisAway("counters in Redis are not good yet")
        return answer
