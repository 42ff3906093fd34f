"""What one request is to the cache of its route: what it looked for, and what is heard of it."""

from msgspec import Struct

from tidegate.core.cache import ExactCache
from tidegate.core.cache_labels import BEGINNING, Mark
from tidegate.core.kept_answer import Found


class Tape:
    """A stream as its provider sent it, as long as it is short enough to be kept."""

    __slots__ = ("_most_bytes", "_parts", "_size")

    def __init__(self, most_bytes: int) -> None:
        self._parts: list[bytes] = []
        self._most_bytes = most_bytes
        self._size = 0

    def add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._most_bytes:
            self._parts.append(data)
        else:
            self._parts = []

    def whole(self) -> bytes | None:
        """None where it was too long."""
        return b"".join(self._parts) if self._size <= self._most_bytes else None


class Caching(Struct, eq=False):
    """`key` None: it was not looked for. `leads`: others wait for its answer, which is kept for
    `ttl_s` where it `keeps`. `old` is what may be given if nobody has an answer. `told` are headers
    of the answer. `release` is what it was meant for. `public`: what stands in front may keep it
    for whoever sends the same body. By `tags` and `sources` its answer may be called back; `mark` is
    what had been called back when it began."""

    exact: ExactCache
    told: bytes
    key: bytes | None = None
    leads: bool = False
    keeps: bool = False
    ttl_s: float = 0.0
    release: str | None = None
    public: bool = False
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    mark: Mark = BEGINNING
    old: Found | None = None
    tape: Tape | None = None
    body: bytes | None = None

    def record(self) -> Tape | None:
        """What hears an attempt's stream; None where nobody wants it."""
        self.body = None
        self.tape = Tape(self.exact.max_entry_bytes) if self.keeps else None
        return self.tape

    def hear(self, body: bytes) -> None:
        """A whole answer, as its provider sent it."""
        self.tape = None
        if self.keeps and len(body) <= self.exact.max_entry_bytes:
            self.body = body

    def heard(self) -> bytes | None:
        """What the provider sent; None where it cannot be kept."""
        return self.body if self.tape is None else self.tape.whole()
