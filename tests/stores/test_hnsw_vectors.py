"""A partition of many: the graph finds what the matrix would, while it is made and after drops."""

import subprocess
import sys

import numpy as np
import pytest

from tidegate.stores import hnsw_vectors
from tidegate.stores.hnsw_vectors import IndexedRows

DIMENSIONS = 32
_LOADED = """
import threading
from tidegate.core import plugs
from tidegate.core.encoding import open_encoder
from tidegate.stores.hnsw_vectors import IndexedRows
def work():
    encoder, rows = open_encoder("minilm"), IndexedRows()
    vector = encoder.encode(["How do I reset my password?"])[0]
    rows.put(1, vector)
    assert rows.nearest(vector, 1)[0][0] == 1
    print("found")
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def clustered(count: int, seed: int = 7) -> list[bytes]:
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((40, DIMENSIONS))
    values = centres[draw.integers(0, 40, count)] + 0.3 * draw.standard_normal((count, DIMENSIONS))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return [it.astype("<f4").tobytes() for it in values]


def made(count: int) -> tuple[IndexedRows, dict[int, bytes]]:
    rows, kept = IndexedRows(), dict(enumerate(clustered(count)))
    for label, it in kept.items():
        assert rows.put(label, it)
    return rows, kept


def recall(rows: IndexedRows, kept: dict[int, bytes], asked: list[bytes]) -> float:
    labels = np.array(list(kept))
    values = np.array([np.frombuffer(it, "<f4") for it in kept.values()])
    same = 0
    for one in asked:
        scores = values @ np.frombuffer(one, "<f4")
        exact = labels[np.argsort(-scores)[:5]].tolist()
        found = rows.nearest(one, 5)
        assert [score for _, score in found] == sorted((it for _, it in found), reverse=True)
        for label, score in found:
            assert abs(score - float(values[labels == label][0] @ np.frombuffer(one, "<f4"))) < 1e-5
        same += len(set(exact) & {label for label, _ in found})
    return same / (5 * len(asked))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hnsw_vectors, "_SCANNED_ROWS", 500)
    monkeypatch.setattr(hnsw_vectors, "_BESIDE", 300)


def test_an_encoder_may_be_loaded_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, check=False)
    assert done.stdout == b"found\n", done.stderr.decode()


def test_few_rows_need_no_graph() -> None:
    rows, kept = made(500)
    assert not rows.tidy()
    assert rows.graph_rows == 0
    assert recall(rows, kept, clustered(20, 8)) == 1.0


def test_it_finds_the_nearest_while_the_graph_is_made_and_after() -> None:
    rows, kept = made(1000)
    asked = clustered(30, 8)
    steps = 0
    while rows.tidy():
        steps += 1
        if steps in (2, 100):  # all by the matrix; some beside the graph
            assert recall(rows, kept, asked) >= 0.97
    assert rows.graph_rows == 1000
    assert recall(rows, kept, asked) >= 0.97
    assert rows.nearest(b"", 5) == rows.nearest(asked[0], 0) == []
    assert not rows.put(2000, b"no vector")
    assert not rows.tidy()


def test_what_is_dropped_is_not_found_and_what_comes_after_is() -> None:
    rows, kept = made(1200)
    for _ in range(100):
        rows.tidy()
    for label in range(0, 600, 2):
        rows.drop(label)
        del kept[label]
    for label, it in enumerate(clustered(100, 9), start=5000):
        rows.put(label, it)
        kept[label] = it
    asked = clustered(30, 8)
    assert recall(rows, kept, asked) >= 0.95
    while rows.tidy():
        pass
    assert rows.graph_rows == len(rows) == len(kept) == 1000
    assert recall(rows, kept, asked) >= 0.95


def test_a_partition_that_shrinks_gives_its_graph_back() -> None:
    rows, kept = made(600)
    while rows.tidy():
        pass
    large = rows.size_bytes
    for label in range(400):
        rows.drop(label)
        del kept[label]
    assert rows.graph_rows == 0
    assert rows.size_bytes < large / 2
    assert recall(rows, kept, clustered(5, 8)) == 1.0
