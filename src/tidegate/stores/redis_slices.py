"""Slice mode: a gateway takes a part of a limit from Redis and spends it here, without a wait.

A slice is taken when too little is in hand. When what is left of the limit would not give every
gateway a slice, the server grants only what is asked for, and nothing stays in hand. Every second
Redis is told what was used, what lies idle goes back, and leases are renewed (those of gauges are
short). What a gateway held that has died is free when its lease has ended; one that is cut off
stops spending before.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from tidegate.core import clock
from tidegate.core.limit import Reading
from tidegate.stores.redis_asking import Asked, Asking, No, by_group
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_share import Lot, Share
from tidegate.stores.redis_wants import Granted, Taken, Want, word, words_of

_AT_ONCE: Final = 500  # lots looked at before others have a turn


class Slices:
    """Takes and gives back. `gateways` is how many share what is left."""

    def __init__(self, asking: Asking, settling: Settling, gateway: str) -> None:
        self._asking = asking
        self._settling = settling
        self._gateway = gateway
        self._shares: dict[str, dict[str, Share]] = {}  # by the limit's name, by scope
        self._lots: dict[str, Lot] = {}
        self._number = 0
        self.gateways = 1

    def __len__(self) -> int:
        return len(self._lots)

    async def take(self, id: str, wants: Sequence[Want]) -> Taken | No:
        now_s = clock.monotonic_s()
        lots: list[Lot | None] = []
        short = False
        for want in wants:
            lot = None
            if want.amount:
                shares = self._shares.get(want.quota.name)
                share = shares and shares.get(want.scope)
                lot = share.current if share else None
                if lot is None or not lot.spend(want, now_s):
                    lot, short = None, True
            lots.append(lot)
        taken = Taken(id, wants, lots, now_s)
        return await self._take_rest(taken) if short else taken

    async def _take_rest(self, taken: Taken) -> Taken | No:
        """Asks Redis for what was not in hand; puts all back when that is refused."""
        short = [i for i, want in enumerate(taken.wants) if want.amount and not taken.tickets[i]]
        self._number += 1
        id = f"{self._gateway}/{self._number}"
        shares = {i: self._share(taken.wants[i]) for i in short}
        asked = [self._asked(i, id, shares[i], taken.wants[i]) for i in short]
        self._settling.flush()  # what was too little to spend is back there before it is asked
        done = False
        try:
            for group, some in by_group(asked):
                sent_s = clock.monotonic_s()
                granted = await self._asking.take(id, group, some)
                if isinstance(granted, list):
                    self._keep(id, some, granted, taken, sent_s)
                elif granted is not None:
                    return granted
            done = True
            return taken
        finally:
            for share in shares.values():
                share.asking -= 1
            if not done:
                self._put_back(taken)

    def _share(self, want: Want) -> Share:
        shares = self._shares.setdefault(want.quota.name, {})
        share = shares.get(want.scope)
        if share is None:
            share = shares[want.scope] = Share()
        return share

    def _asked(self, i: int, id: str, share: Share, want: Want) -> Asked:
        lot, size = share.current, want.quota.slice
        extra = 0 if share.asking or share.tight else size
        if lot is not None and not share.asking and self._asking.open:
            share.current = None
            lot.in_hand = 0
            self._tell(lot)
        share.asking += 1
        share.last_s = clock.monotonic_s()
        body = words_of(want, want.quota.lease_s, extra, self.gateways * size)
        return i, want, word(id) + word(want.amount) + body

    def _keep(
        self, id: str, some: list[Asked], granted: list[Granted], taken: Taken, sent_s: float
    ) -> None:
        """What was granted, in lots."""
        for (i, want, _), one in zip(some, granted, strict=True):
            share = self._share(want)
            lot = taken.tickets[i] = Lot(id, share, want, one, sent_s)
            self._lots[f"{id}/{i}"] = lot
            if lot.in_hand:
                share.current = lot

    def _put_back(self, taken: Taken) -> None:
        for want, lot in zip(taken.wants, taken.tickets, strict=True):
            if lot is not None:
                lot.release(want.amount)
                self._ended(lot)

    def hold(self, id: str, wants: Sequence[Want]) -> Taken:
        """What is there already is held, also beyond what is allowed."""
        now_s = clock.monotonic_s()
        taken = Taken(id, wants, [], now_s)
        self._number += 1
        for i, want in enumerate(wants):
            share = self._share(want)
            unasked = Reading(share.known, want.quota.allowed, share.reset_s)
            granted = Granted(want.amount, share.tight, unasked)
            lot = Lot(f"{self._gateway}/{self._number}", share, want, granted, now_s)
            lot.told = 0  # Redis has not heard of it
            taken.tickets.append(lot)
            self._lots[f"{lot.id}/{i}"] = lot
            self._tell(lot)
        return taken

    def give_back(self, taken: Taken, used: Sequence[int]) -> None:
        """Once for each that was taken."""
        age_s = clock.monotonic_s() - taken.at_s
        for want, lot, amount in zip(taken.wants, taken.tickets, used, strict=True):
            if lot is not None:
                lot.give_back(want.amount, amount, age_s)
                self._ended(lot)
            elif amount and not want.amount:  # nothing was held of it
                self._settling.add(Return(want, taken.id, amount, unknown=True, seq=1))

    def _ended(self, lot: Lot) -> None:
        """What nobody else may spend here goes back at once, and what is much more than a slice."""
        share = lot.share
        if share.tight or lot.in_hand > lot.much or (share.current is not lot and not lot.held):
            lot.trim(clock.monotonic_s())
            self._tell(lot)

    def _tell(self, lot: Lot) -> None:
        entry = lot.due(clock.monotonic_s(), self.gateways * lot.want.quota.slice)
        if entry is not None:
            self._settling.add(entry)

    async def tell(self, *, everything: bool = False, pause_s: float = 0.0) -> None:
        """Tells Redis what has changed; `everything` that is in hand goes back, for an end."""
        for n, (key, lot) in enumerate(list(self._lots.items()), 1):
            if everything:
                lot.in_hand, lot.share.current = 0, None
            lot.trim(clock.monotonic_s())
            self._tell(lot)
            if lot.over:
                self._lots.pop(key, None)  # a drain and a tick may both come by
            if n % _AT_ONCE == 0:
                await asyncio.sleep(pause_s)
        self._forget_shares()

    def _forget_shares(self) -> None:
        """Shares of which there is no lot; few are left when a scope falls silent."""
        used = {id(lot.share) for lot in self._lots.values()}
        for shares in self._shares.values():
            for scope in [s for s, share in shares.items() if not share.asking]:
                if id(shares[scope]) not in used:
                    del shares[scope]

    def again(self) -> None:
        """The epoch is new: it knows nothing of what is held here until `tell`."""
        for lot in self._lots.values():
            lot.forget()
