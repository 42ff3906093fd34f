"""A run that vLLM really served, replayed: ShareGPT on an RTX 4090, with a full KV pool."""

import csv
import gzip
import statistics
from pathlib import Path

import msgspec
import pytest

from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import profile
from tidegate.capacity.readings import Timing
from tidegate.capacity.request import Request

pytestmark = pytest.mark.traces


@pytest.fixture(scope="module")
def run(repository) -> tuple[list[dict[str, float]], list[Timing]]:
    """What was measured and what the engine makes of it, request by request."""
    folder: Path = repository.parent / "shared" / "traces" / "vllm_run_rtx4090_llama31_8b"
    with (folder / "requests.csv").open() as file:
        measured = [
            {name: float(value) for name, value in row.items()} for row in csv.DictReader(file)
        ]
    with gzip.open(folder / "prefix_blocks16.jsonl.gz") as lines:
        blocks = [msgspec.json.decode(line)["hash_ids"] for line in lines]
    engine = Engine(profile("rtx4090-8b"))
    emitted = []
    for row, ids in zip(measured, blocks, strict=True):
        emitted += engine.advance(row["queued_s"])
        keys = [block.to_bytes(8, "big") for block in ids]
        asked = Request(str(int(row["i"])), int(row["input_toks"]), int(row["output_toks"]), keys)
        engine.submit(asked, row["queued_s"])
    emitted += engine.advance(1e9)
    timings = {one.request_id: one.timing for one in emitted if one.timing}
    return measured, [timings[str(at)] for at in range(len(measured))]


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [
        ("queued_s", "first_token_s", "arrival_s", "first_token_s"),
        ("queued_s", "last_token_s", "arrival_s", "last_token_s"),
        ("first_token_s", "last_token_s", "first_token_s", "last_token_s"),
    ],
    ids=["ttft", "end to end", "decode"],
)
def test_times_are_within_a_fifth_of_measured_ones(run, begin, end, first, last):
    measured, simulated = run
    real = sorted(row[end] - row[begin] for row in measured)
    ours = sorted(getattr(one, last) - getattr(one, first) for one in simulated)
    assert statistics.mean(ours) == pytest.approx(statistics.mean(real), rel=0.2)
    p95 = int(0.95 * len(real))
    assert ours[p95] == pytest.approx(real[p95], rel=0.2)


def test_the_storm_of_preemptions_happens_here_too(run):
    _, simulated = run
    assert sum(one.preemptions for one in simulated) > 50
