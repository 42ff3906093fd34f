"""The Redis protocol (RESP 2), pure: commands to bytes, bytes to replies, errors by class.

It is small because a pipeline needs no more, and our own because replies must be matched to their
commands by place: a caller that has gone leaves its place behind and its reply is thrown away.
"""

from typing import Final

from tidegate.stores.errors import StoreUnavailable

Reply = int | bytes | list["Reply"] | Exception | None

_MAX_REPLY_BYTES: Final = 4 * 1024 * 1024


class RedisUnavailable(StoreUnavailable):
    """No answer, or none in time: whether the command was obeyed is not known."""


class RedisAway(RedisUnavailable):
    """Nothing was obeyed: it was not asked, or said so."""


class RedisRefused(StoreUnavailable):
    """The server answered that it did not obey. `kind` is the first word of its answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.kind = message.partition(" ")[0]


# What only another state of the server can mend: as good as no server.
SICK: Final = frozenset(
    {"LOADING", "READONLY", "MASTERDOWN", "OOM", "BUSY", "MISCONF", "MOVED", "ASK", "CLUSTERDOWN"}
    | {"CROSSSLOT", "NOREPLICAS", "NOAUTH", "WRONGPASS", "TRYAGAIN"}
)


class Malformed(Exception):
    """Bytes that are no Redis reply: the connection is good for nothing more."""


def encode(*words: bytes | str | float) -> bytes:
    """One command. Numbers are written as Redis reads them."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


class Replies:
    """Cuts what arrives into replies. Errors come out as `RedisRefused` values, not raised."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are whole now. Raises Malformed."""
        data = self._data + data if self._data else data
        replies: list[Reply] = []
        at = 0
        try:
            while at < len(data):
                reply, at = _read(data, at)
                replies.append(reply)
        except IndexError:
            pass  # the rest has not arrived
        except ValueError:
            raise Malformed("the other end does not speak Redis") from None
        self._data = data[at:]
        if len(self._data) > _MAX_REPLY_BYTES:
            raise Malformed("a reply is too long")
        return replies


def _read(data: bytes, at: int) -> tuple[Reply, int]:
    """The reply at `at` and where it ends. IndexError when it is not whole yet."""
    end = data.find(b"\r\n", at)
    if end < 0:
        raise IndexError
    kind, line, after = data[at : at + 1], data[at + 1 : end], end + 2
    if kind == b":":
        return int(line), after
    if kind == b"$":
        size = int(line)
        if size < 0:
            return None, after
        if len(data) < after + size + 2:
            raise IndexError
        return data[after : after + size], after + size + 2
    if kind == b"*":
        count = int(line)
        if count < 0:
            return None, after
        items: list[Reply] = []
        for _ in range(count):
            item, after = _read(data, after)
            items.append(item)
        return items, after
    if kind == b"+":
        return line, after
    if kind == b"-":
        return RedisRefused(line.decode("utf-8", "replace")), after
    raise ValueError
