"""What others measured and published, met by the engine in a closed loop of clients."""

import csv
import random
import statistics

import pytest

from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import profile
from tidegate.capacity.request import Request

pytestmark = pytest.mark.traces


def _closed_loop(name: str, input_tokens: int, output_tokens: int, clients: int):
    """Mean TTFT and TPOT in seconds under `clients` clients, lengths 0.8-1.0 of the nominal."""
    engine = Engine(profile(name))
    random_ = random.Random(1)
    left = clients * 10
    ttft, tpot = [], []

    def submit(now_s: float) -> None:
        prompt, output = (int(n * random_.uniform(0.8, 1.0)) for n in (input_tokens, output_tokens))
        engine.submit(Request(str(left), prompt, output), now_s)

    for _ in range(clients):
        left -= 1
        submit(0.0)
    while (at_s := engine.next_event_at()) is not None:
        for one in engine.advance(at_s):
            if one.timing is not None:
                ttft.append(one.timing.first_token_s - one.timing.arrival_s)
                tpot.append(
                    (one.timing.last_token_s - one.timing.first_token_s) / (output_tokens * 0.9)
                )
                if left > 0:
                    left -= 1
                    submit(at_s)
    return statistics.mean(ttft), statistics.mean(tpot)


@pytest.fixture(scope="module")
def published(repository):
    file = repository.parent / "shared" / "published_perf.csv"
    return {row["id"]: row for row in csv.DictReader(file.read_text("utf-8").splitlines())}


@pytest.mark.parametrize("row_id", ["S001", "S002", "S005", "S006", "S009", "S013"])
def test_token_times_are_within_a_fifth_of_measured_ones(published, row_id):
    row = published[row_id]
    _, tpot_s = _closed_loop(
        f"h100-70b-tp{row['gpus']}", int(row["isl"]), int(row["osl"]), int(row["concurrency"])
    )
    assert tpot_s * 1000 == pytest.approx(float(row["tpot_ms"]), rel=0.2)


@pytest.mark.parametrize("row_id", ["S007", "S008"])
def test_a_full_kv_pool_bounds_what_runs_however_many_ask(published, row_id):
    """By Little's law 28 sequences ran, at 32 clients as at 64; the others waited."""
    row = published[row_id]
    clients = int(row["concurrency"])
    ttft_s, tpot_s = _closed_loop("h100-70b-tp2", 8192, 1024, clients)
    decode_s = tpot_s * (1024 * 0.9 - 1)
    running = clients * decode_s / (ttft_s + decode_s)
    assert running == pytest.approx(28.5, rel=0.05)
    assert tpot_s * 1000 == pytest.approx(float(row["tpot_ms"]), rel=0.2)
