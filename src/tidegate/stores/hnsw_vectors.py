"""Vectors of one partition that may be many: a graph finds near ones, their matrix says how near.

Above `_SCANNED_ROWS` a graph is made behind the searches, a little at a time; what is not in it yet
is searched row by row. It holds vectors in eight bits, so that it takes a quarter of the matrix;
scores are the matrix', and exact. Not for two threads at once.
"""

import contextlib
import itertools
from typing import Final

import numpy as np

# usearch puts the symbols of its library before everybody's, and onnxruntime crashes where it is
# loaded after that: so it goes first, where there is one.
with contextlib.suppress(ImportError):
    import onnxruntime  # noqa: F401
from usearch.index import Index

from tidegate.stores.exact_vectors import Matrix

# Where a search by the graph is quicker than the matrix: `bench vectors`.
_SCANNED_ROWS: Final = 20_000
_STEP_ROWS: Final = 8
_CONNECTIVITY: Final = 24
_EXPANSION_ADD: Final = 128
_EXPANSION_SEARCH: Final = 96
# So many are found by eight bits for each that is asked for.
_FOUND: Final = 4
# Of those that are not in the graph yet, so many are searched beside it.
_BESIDE: Final = 2000


class IndexedRows:
    """stores.memory_vectors.Rows. `_outside` are those that are not in the graph yet, by label."""

    def __init__(self) -> None:
        self._matrix = Matrix()
        self._graph: Index | None = None
        self._outside: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._matrix)

    @property
    def size_bytes(self) -> int:
        graph = 0 if self._graph is None else int(self._graph.memory_usage)
        return self._matrix.size_bytes + graph

    @property
    def graph_rows(self) -> int:
        return 0 if self._graph is None else len(self._graph)

    def put(self, label: int, vector: bytes) -> bool:
        taken = self._matrix.put(label, vector)
        if taken and self._graph is not None:
            self._outside[label] = None
        return taken

    def drop(self, label: int) -> None:
        self._matrix.drop(label)
        if self._graph is None:
            return
        if label in self._outside:
            del self._outside[label]
        else:
            self._graph.remove(label)
        if len(self._matrix) < _SCANNED_ROWS // 2:
            self._graph = None
            self._outside = {}

    def nearest(self, vector: bytes, most: int) -> list[tuple[int, float]]:
        if self._graph is None or len(self._outside) > _BESIDE:
            return self._matrix.nearest(vector, most)
        asked = self._matrix.read(vector)
        if asked is None or most < 1:
            return []
        found = self._graph.search(asked, _FOUND * most, threads=1)
        labels = [*found.keys.tolist(), *self._outside]
        return self._matrix.scored(vector, labels)[:most]

    def tidy(self) -> bool:
        """Takes a few more into the graph. Whether there are more."""
        if self._graph is None:
            if len(self._matrix) <= _SCANNED_ROWS:
                return False
            self._graph = Index(
                ndim=self._matrix.dimensions,
                metric="cos",
                dtype="i8",
                connectivity=_CONNECTIVITY,
                expansion_add=_EXPANSION_ADD,
                expansion_search=_EXPANSION_SEARCH,
            )
            self._outside = dict.fromkeys(self._matrix.labels())
        labels = list(itertools.islice(self._outside, _STEP_ROWS))
        if labels:
            self._graph.add(np.array(labels, np.int64), self._matrix.values(labels), threads=1)
        for label in labels:
            del self._outside[label]
        return bool(self._outside)


plug = IndexedRows
