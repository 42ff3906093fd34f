"""What one request is to the cache of its route: what it looked for, and what is heard of it."""

from asyncio import Future

from msgspec import Struct

from tidegate.core.cache import ExactCache, SemanticCache
from tidegate.core.cache_labels import BEGINNING, Mark
from tidegate.core.encoding import Vector
from tidegate.core.kept_answer import Found
from tidegate.gateway.canonical import Canonical
from tidegate.gateway.likeness import Likeness


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


class First(Struct, eq=False):
    """What the prefilter sees of a question."""

    partition: bytes
    vector: Vector


class Near(Struct, eq=False):
    """What one request is to the semantic tier. `question` is of all that `partition` tells apart,
    and `key` is that of its answer. No question below the cosine `threshold` is taken for the same;
    None: nothing is given. `gives` False: what would have been given is only noted. `vector` is
    there once it has come, `coming` while it has not; `first` where there is a prefilter.
    `compared_by` says what compares it (`core.judged_hit.compared_by`)."""

    semantic: SemanticCache
    question: str
    partition: bytes
    key: bytes
    ttl_s: float
    threshold: float | None
    first: First | None = None
    compared_by: str = ""
    coming: Future[Vector | None] | None = None
    vector: Vector | None = None

    @property
    def gives(self) -> bool:
        return self.semantic.mode == "on" and self.threshold is not None


class Caching(Struct, eq=False):
    """`key` None: it was not looked for. `leads`: others wait for its answer, which is kept for
    `ttl_s` where it `keeps`. `old` is what may be given if nobody has an answer. `told` are headers
    of the answer. `release` is what it was meant for. `public`: what stands in front may keep it
    for whoever sends the same body. By `tags` and `sources` its answer may be invalidated; `mark`
    is what had been invalidated when it began. `exact` and `near` are absent where that tier is not
    for it; `asked` is there while nobody has looked for another wording. `like` is the nearest
    question whose kept answer is still there, where it is near enough for judges to look at."""

    exact: ExactCache | None
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
    near: Near | None = None
    asked: Canonical | None = None
    like: Likeness | None = None
    tape: Tape | None = None
    body: bytes | None = None

    @property
    def shares(self) -> bool:
        """Whether others who ask the same may have its answer."""
        return self.exact is not None or (self.near is not None and self.near.gives)

    def record(self) -> Tape | None:
        """What hears an attempt's stream; None where nobody wants it."""
        self.body = None
        self.tape = Tape(self._most_bytes()) if self.keeps else None
        return self.tape

    def hear(self, body: bytes) -> None:
        """A whole answer, as its provider sent it."""
        self.tape = None
        if self.keeps and len(body) <= self._most_bytes():
            self.body = body

    def heard(self) -> bytes | None:
        """What the provider sent; None where it cannot be kept."""
        return self.body if self.tape is None else self.tape.whole()

    def _most_bytes(self) -> int:
        most = 0 if self.exact is None else self.exact.max_entry_bytes
        return most if self.near is None else max(most, self.near.semantic.max_entry_bytes)
