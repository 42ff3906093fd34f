"""Where vectors of questions are kept, and the nearest of them found."""

from typing import Final, NamedTuple, Protocol

from tidegate.core.encoding import Vector


class Neighbour(NamedTuple):
    """A kept question. `key` is that of its answer, `score` the cosine."""

    key: bytes
    score: float
    question: str


class Vectors(Protocol):
    """Those of one route. Nothing is ever found beyond its `partition`, which is a digest of all
    but the question: whose it is, the release, the prompt, the rest of the request, and the
    encoder's version, as vectors of two encoders are not compared. Nothing here raises; what cannot
    be had is not found."""

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        """The nearest first."""

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        """In the place of what the same key had there."""

    def drop(self, partition: bytes, key: bytes) -> None: ...


class _Nowhere:
    """Vectors that keep nothing."""

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        del partition, vector, most
        return []

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        del partition, key, vector, question, keep_s

    def drop(self, partition: bytes, key: bytes) -> None:
        del partition, key


NOWHERE: Final = _Nowhere()
