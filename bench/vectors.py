"""What it costs to find the nearest of many kept questions in a gateway's memory.

Questions of ../shared/evals/paraphrase are encoded; as there are not enough of them, each vector is
one of them moved by a part of the difference of two others, as a paraphrase or another question
near it would be. Those that are asked for are made the same way.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tidegate.core.encoding import EncoderUnavailable, open_encoder
from tidegate.stores.exact_vectors import Matrix
from tidegate.stores.hnsw_vectors import IndexedRows

BAR_EXACT_MS, BAR_GRAPH_MS, BAR_RECALL = 12.0, 2.0, 0.95
ROWS, ASKED, MOST = 100_000, 400, 5
SIZES = (2_000, 10_000, 20_000, 50_000, ROWS)
_QUESTIONS = Path(__file__).parents[2] / "shared/evals/paraphrase/qqp_dev.jsonl"
# Encoding takes most of the time: so many of each encoder.
_ENCODED = {"static": 16_000, "minilm": 2_500}

Values = np.ndarray[Any, np.dtype[np.float32]]


def questions(most: int) -> list[str]:
    found: dict[str, None] = {}
    for line in _QUESTIONS.read_text("utf-8").splitlines():
        pair = json.loads(line)
        found |= dict.fromkeys(it for it in pair.values() if isinstance(it, str) and "?" in it)
    return list(found)[:most]


def encoded(name: str) -> Values:
    encoder = open_encoder(name)
    texts = questions(_ENCODED[name])
    made: list[bytes] = []
    for at in range(0, len(texts), 32):
        made += [it for it in encoder.encode(texts[at : at + 32]) if it is not None]
    return np.array([np.frombuffer(it, "<f4") for it in made], np.float32)


def moved(base: Values, count: int, draw: np.random.Generator) -> Values:
    """So many near those."""
    first, one, other = (draw.integers(0, len(base), count) for _ in range(3))
    part = draw.uniform(0.05, 0.45, (count, 1)).astype(np.float32)
    made = base[first] + part * (base[one] - base[other])
    unit: Values = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit.astype("<f4")


def timed(nearest: Callable[[bytes, int], Sequence[object]], asked: list[bytes]) -> list[float]:
    """Wall and CPU milliseconds: p50 and p99, p50."""
    walls, cpus = [], []
    for one in asked:
        cpu_s, wall_s = time.thread_time(), time.perf_counter()
        nearest(one, MOST)
        walls.append((time.perf_counter() - wall_s) * 1e3)
        cpus.append((time.thread_time() - cpu_s) * 1e3)
    cuts = statistics.quantiles(walls, n=100)
    return [cuts[49], cuts[98], statistics.median(cpus)]


def measure(name: str) -> bool:
    draw = np.random.default_rng(7)
    base = encoded(name)
    values = moved(base, ROWS, draw)
    asked = [it.tobytes() for it in moved(base, ASKED, draw)]
    print(f"{name}: {values.shape[1]} numbers, {len(base):,} questions encoded")
    rows, matrix, exact = IndexedRows(), Matrix(), [0.0]
    for label, one in enumerate(values):
        matrix.put(label, one.tobytes())
        if label + 1 in SIZES:
            exact = timed(matrix.nearest, asked)
            print(f"  exact, {label + 1:>7,} rows: {_told(exact)}")
    nearest = [matrix.nearest(one, MOST) for one in asked]
    near = statistics.median(found[0][1] for found in nearest)
    print(f"  the nearest has a cosine of {near:.2f} (median); {matrix.size_bytes / 1e6:.0f} MB")
    built_s = time.thread_time()
    for label, one in enumerate(values):
        rows.put(label, one.tobytes())
    while rows.tidy():
        pass
    built_s = time.thread_time() - built_s
    graph = timed(rows.nearest, asked)
    first = fifth = 0.0
    for one, best in zip(asked, nearest, strict=True):
        found = [label for label, _ in rows.nearest(one, MOST)]
        first += found[0] == best[0][0]
        fifth += len(set(found) & {label for label, _ in best}) / MOST
    first, fifth = first / ASKED, fifth / ASKED
    print(f"  by graph, {ROWS:,} rows: {_told(graph)}, recall {first:.3f} of 1, {fifth:.3f} of 5")
    print(f"  {rows.size_bytes / 1e6:.0f} MB; {built_s / ROWS * 1e3:.2f} ms of CPU to put one")
    kept = exact[0] <= BAR_EXACT_MS and graph[0] <= BAR_GRAPH_MS
    return kept and min(first, fifth) >= BAR_RECALL


def _told(times: list[float]) -> str:
    p50, p99, cpu = times
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, CPU {cpu:.2f} ms"


def main() -> int:
    kept = True
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    for name in _ENCODED:
        try:
            kept = measure(name) and kept
        except EncoderUnavailable as error:
            print(f"{name}: {error}")
    print(f"bars: exact {BAR_EXACT_MS} ms, by graph {BAR_GRAPH_MS} ms at a recall of {BAR_RECALL}")
    return 0 if kept else 1
