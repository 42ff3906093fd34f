"""The scripts of the Redis store on a clock that a test sets, as `core.limit.Counters`.

Everything is real but the clock: the scripts read it from a key where they would ask the server.
"""

import socket

from tests.stores.redis_rig import Server

from tidegate.core.limit import Calendar, Gauge, Moment, Reading, Shape
from tidegate.stores.redis_scripts import Script, Scripts, epoch_key
from tidegate.stores.redis_wants import (
    Granted,
    Quota,
    Refused,
    Want,
    answer,
    keys_of,
    word,
    words_of,
)
from tidegate.stores.redis_wire import Replies, Reply, encode

_TIME = b"redis.call('TIME')"
_CLOCK = b"redis.call('HMGET', 'test:clock', 's', 'us')"
_HOUR_S = 3600
_FOR_EVER_S = 1e9


def _quota(shape: Shape) -> Quota:
    """Of a gauge its lease is a part of what it does; nothing else lets go of a hold here."""
    lease_s = shape.lease_s if isinstance(shape, Gauge) else _FOR_EVER_S
    return Quota("limit", shape, lease_s=lease_s)


class ClockedCounters:
    """Counters of one shape on a server of the test's own, which is emptied."""

    def __init__(self, server: Server, shape: Shape) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10.0)
        self._socket.connect(str(server.socket))
        self._replies = Replies()
        scripts = Scripts()
        self._take = Script(scripts.take.text.replace(_TIME, _CLOCK), b"")
        self._settle = Script(scripts.settle.text.replace(_TIME, _CLOCK), b"")
        self._quota = _quota(shape)
        self._tickets = 0
        self._scopes: set[str] = set()
        self._now = Moment(0.0, 0.0)
        self._say(encode("FLUSHALL"))
        self._say(b"*3\r\n" + word("SET") + epoch_key(None) + word("e"))

    def close(self) -> None:
        self._socket.close()

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        self._tickets += 1
        granted = self._ask("take", scope, amount, now)
        return None if isinstance(granted, Refused) else self._tickets

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        self._tell(self._want(scope, held, now), ticket, 0, used, unknown=0)

    def renew(self, scope: str, ticket: int, held: int, now: Moment) -> None:
        """Its lease begins again, also where it has ended."""
        self._tell(self._want(scope, held, now), ticket, held, 0, unknown=1)

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        granted = self._ask("read", scope, amount, now)
        assert not isinstance(granted, Refused)
        return granted.reading

    def reshape(self, shape: Shape) -> None:
        self._quota = _quota(shape)

    def sweep(self, now: Moment) -> None:
        self._now = now

    def __len__(self) -> int:
        return sum(self.read(scope, 1, self._now).used > 0 for scope in self._scopes)

    def _tell(self, want: Want, ticket: int, held: int, used: int, unknown: int) -> None:
        rest = b"".join(map(word, ("e", ticket, held, used, 0, unknown)))
        self._run(self._settle, want, rest + words_of(want, want.quota.lease_s), 16)

    def _ask(self, verb: str, scope: str, amount: int, now: Moment) -> Granted | Refused:
        want = self._want(scope, amount, now)
        rest = b"".join(map(word, ("e", verb, self._tickets, amount)))
        reply = self._run(self._take, want, rest + words_of(want, want.quota.lease_s), 14)
        granted = answer([want], reply)
        assert granted is not None
        return granted if isinstance(granted, Refused) else granted[0]

    def _want(self, scope: str, amount: int, now: Moment) -> Want:
        self._scopes.add(scope)
        at_s = now.wall_s if isinstance(self._quota.shape, Calendar) else now.monotonic_s
        us = round(at_s * 1e6)
        self._say(encode("HSET", "test:clock", "s", us // 1_000_000, "us", us % 1_000_000))
        hour = int(now.wall_s) // _HOUR_S * _HOUR_S
        periods = (hour - _HOUR_S, hour, hour + _HOUR_S, hour + 2 * _HOUR_S)
        return Want(self._quota, scope, amount, None, periods)

    def _run(self, script: Script, want: Want, rest: bytes, count: int) -> Reply:
        keys = epoch_key(None) + keys_of(want, "e")
        return self._say(script.by_text(keys, 3, rest, count))

    def _say(self, command: bytes) -> Reply:
        self._socket.sendall(command)
        replies: list[Reply] = []
        while not replies:
            replies = self._replies.feed(self._socket.recv(65536))
        assert not isinstance(replies[0], Exception), replies[0]
        return replies[0]
