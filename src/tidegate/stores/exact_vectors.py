"""Vectors of one partition in one matrix, searched row by row: exact.

Rows are numbered by labels that are never used twice. `np.vecdot` takes one thread: a product by
BLAS takes all cores, and waits for the slowest. It needs no Python while it runs, so that others go
on meanwhile. Not for two threads at once.
"""

from typing import Any, Final

import numpy as np

_FIRST_ROWS: Final = 1


class Matrix:
    """`vectors` are core.encoding.Vector, of one length, which the first one sets."""

    def __init__(self) -> None:
        self._values: Any = np.empty((0, 0), np.float32)
        self._labels: Any = np.empty(0, np.int64)
        self._row_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def size_bytes(self) -> int:
        """What it takes, that which is free for more with it."""
        return int(self._values.nbytes + self._labels.nbytes)

    @property
    def dimensions(self) -> int:
        return int(self._values.shape[1])

    def put(self, label: int, vector: bytes) -> bool:
        """Whether it is taken: not one of another length, or what is none."""
        values = _read(vector)
        if values is None or (self._row_of and len(values) != self.dimensions):
            return False
        if not self._row_of:
            self._values = np.empty((_FIRST_ROWS, len(values)), np.float32)
            self._labels = np.empty(_FIRST_ROWS, np.int64)
        row = self._row_of.get(label, len(self._row_of))
        if row == len(self._values):
            self._resize(row + row // 2 + 1)
        self._values[row] = values
        self._labels[row] = label
        self._row_of[label] = row
        return True

    def drop(self, label: int) -> None:
        """The last row takes its place."""
        row = self._row_of.pop(label, None)
        if row is None:
            return
        last = len(self._row_of)
        if row != last:
            self._values[row] = self._values[last]
            moved = int(self._labels[last])
            self._labels[row] = moved
            self._row_of[moved] = row
        if _FIRST_ROWS < 3 * last < len(self._values):
            self._resize(2 * last)

    def nearest(self, vector: bytes, most: int) -> list[tuple[int, float]]:
        """Labels and cosines, the highest first."""
        count, asked = len(self._row_of), self.read(vector)
        if asked is None or most < 1:
            return []
        scores = np.vecdot(self._values[:count], asked)
        rows = np.arange(count)
        if most < count:
            rows = np.argpartition(scores, count - most)[count - most :]
        return self._told(rows, scores[rows])

    def scored(self, vector: bytes, labels: list[int]) -> list[tuple[int, float]]:
        """Of those labels which are still there."""
        rows = np.array([self._row_of[it] for it in labels if it in self._row_of], np.int64)
        asked = self.read(vector)
        if asked is None or not len(rows):
            return []
        return self._told(rows, np.vecdot(self._values[rows], asked))

    def tidy(self) -> bool:
        """There is nothing that would make it quicker."""
        return False

    def labels(self) -> list[int]:
        """In the order of rows."""
        found: list[int] = self._labels[: len(self._row_of)].tolist()
        return found

    def values(self, labels: list[int]) -> Any:
        """The vectors of those, of their own; each must be there."""
        return self._values[[self._row_of[label] for label in labels]]

    def read(self, vector: bytes) -> Any:
        """Its numbers. None where it cannot be near anything here."""
        values = _read(vector)
        if values is None or not self._row_of or len(values) != self.dimensions:
            return None
        return values

    def _told(self, rows: Any, scores: Any) -> list[tuple[int, float]]:
        order = np.argsort(-scores, kind="stable")
        return list(zip(self._labels[rows[order]].tolist(), scores[order].tolist(), strict=True))

    def _resize(self, rows: int) -> None:
        count = min(rows, len(self._values))
        values = np.empty((rows, self._values.shape[1]), np.float32)
        labels = np.empty(rows, np.int64)
        values[:count], labels[:count] = self._values[:count], self._labels[:count]
        self._values, self._labels = values, labels


def _read(vector: bytes) -> Any:
    if not vector or len(vector) % 4:
        return None
    values = np.frombuffer(vector, "<f4")
    return values if np.isfinite(values).all() else None
