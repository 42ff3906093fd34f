"""What signals cost: folding a receipt, storing bins, reading 13 months and a tick's news.

`python -m bench signals`. CPU of this process, medians; the store is SQLite in a
temporary folder. The bars: 8 us to fold a receipt, 200 ms for 13 months of 100 series.
"""

import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Engine, Table, delete, select

from bench.recorder_cost import realistic
from tidegate.core.bin import COUNTS, Bin, BinKey
from tidegate.core.frames import frames
from tidegate.core.receipt import Receipt, decode_payload, encode_frame
from tidegate.core.series import SignalQuery
from tidegate.record.bins import Bins
from tidegate.stats.block_fold import BlockFold
from tidegate.stats.histogram import bucket_of
from tidegate.stores import database, migrate, signal_rows, signal_series, signals
from tidegate.stores.schema_signals import signal_details, signal_scopes
from tidegate.stores.schema_signals import signals as table
from tidegate.stores.signal_bins import DAY_S, WEEK_S, SignalWriter

_NOW_S = 1_790_000_000 // DAY_S * DAY_S
_DAYS = 396
_RECEIPTS = 20_000
_ROUNDS = 9
_SERIES = 100
_ARMS = ("stable", "canary", "shadow")


def run() -> int:
    _fold()
    with tempfile.TemporaryDirectory() as folder:
        engine = database.open_engine(Path(folder) / "ledger.db")
        migrate.migrate(engine)
        _read(engine)
        _tick(engine)
        engine.dispose()
    return 0


def _fold() -> None:
    draw = random.Random(1)
    made = [_receipt(draw, number) for number in range(_RECEIPTS)]
    gc.collect()
    gc.freeze()
    held: list[object] = []  # so that nothing is freed while it is timed

    def bins() -> None:
        folded = Bins()
        for one in made:
            folded.fold(one)
        held.append(folded)

    def blocks() -> None:
        folded = BlockFold("faster")
        for one in made:
            folded.add(one)
        held.append(folded)

    print(f"fold into bins            {_median_s(bins) / _RECEIPTS * 1e6:8.2f} us a receipt")
    print(f"fold into release blocks  {_median_s(blocks) / _RECEIPTS * 1e6:8.2f} us a receipt")


def _receipt(draw: random.Random, number: int) -> Receipt:
    """As a journal gives it, of a route with a release under way."""
    one = realistic(draw, f"{number:032x}", _NOW_S + number / 500)
    one.rollout, one.arm = "faster", draw.choice(_ARMS[:2])
    one.unit, one.unit_kind = draw.getrandbits(10), "user"
    [(_, payload)] = frames(encode_frame(one))
    assert payload is not None
    return decode_payload(payload)


def _read(engine: Engine) -> None:
    _fill(engine, _SERIES)
    since_s = _NOW_S - _DAYS * DAY_S
    for names in (
        ("request_rate",),
        ("availability",),
        ("cost_usd_per_request",),
        ("ttft_p95_s",),
        ("output_tokens_p50",),
    ):
        query = SignalQuery(names, since_s, _NOW_S, apart=("route",))

        def ask(query: SignalQuery = query) -> None:
            with database.reading(engine) as connection:
                signal_series.read(connection, query)

        with database.reading(engine) as connection:
            found = signal_series.read(connection, query)
        told = f"{len(found)} series of {len(found[0].points)}, {names[0]}"
        print(f"13 months: {_median_s(ask) * 1e3:8.1f} ms  {told}")


def _fill(engine: Engine, routes: int) -> None:
    """Days and weeks of busy routes, as they would have come to be."""
    draw = random.Random(2)
    with database.writing(engine) as connection:
        bins = {_key(number, "stable"): _busy(draw) for number in range(routes)}
        SignalWriter(engine, "").add(connection, bins, 1)
        scopes = connection.execute(select(signal_scopes.c.id)).scalars().all()
        samples = [signal_rows.packed(signal_rows.row_of(_busy(draw))) for _ in range(50)]
        connection.execute(delete(table))
        connection.execute(delete(signal_details))
        for span_s in (DAY_S, WEEK_S):
            first_s = _NOW_S - _DAYS * DAY_S
            for start_s in range(first_s - first_s % span_s, _NOW_S, span_s):
                keys = [(span_s, scope, start_s, "") for scope in scopes]
                some = [draw.choice(samples) for _ in scopes]
                counts = [(*key, 1, *it[0]) for key, it in zip(keys, some, strict=True)]
                details = [(*key, *it[1]) for key, it in zip(keys, some, strict=True)]
                connection.execute(table.insert(), _named(table, counts))
                connection.execute(signal_details.insert(), _named(signal_details, details))


def _named(of: Table, rows: Sequence[tuple[object, ...]]) -> list[dict[str, object]]:
    names = [column.name for column in of.c]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _tick(engine: Engine) -> None:
    """500 routes of 3 arms, each with something new every time."""
    draw = random.Random(3)
    writer, since = SignalWriter(engine, ""), 0
    bins = {_key(number, arm): _quiet(draw) for number in range(500) for arm in _ARMS}
    stored, read = [], []
    for number in range(_ROUNDS):
        before_s = time.process_time()
        with database.writing(engine) as connection:
            writer.add(connection, bins, number)
        stored.append(time.process_time() - before_s)
        before_s = time.process_time()
        with database.reading(engine) as connection:
            news = signals.minutes_after(connection, since)
        read.append(time.process_time() - before_s)
        since = news.since
    print(f"store {len(bins)} bins: {statistics.median(stored) * 1e3:8.1f} ms every 10 s")
    print(f"read the news of them: {statistics.median(read) * 1e3:8.1f} ms a tick")


def _key(number: int, arm: str) -> BinKey:
    return BinKey(_NOW_S - 60, f"route-{number}", arm, "r1", f"target-{number}")


def _busy(draw: random.Random) -> Bin:
    one = _quiet(draw)
    for name in ("ttft", "turn_time", "total_time", "itl", "output_tokens"):
        counts: dict[int, int] = {}
        for _ in range(500):
            bucket = bucket_of(draw.lognormvariate(0.0, 0.7))
            counts[bucket] = counts.get(bucket, 0) + draw.randrange(1, 40)
        one.histograms[name] = counts
    return one


def _quiet(draw: random.Random) -> Bin:
    one = Bin(counts=[draw.randrange(1, 10_000) for _ in COUNTS])
    for name in ("ttft", "turn_time", "total_time", "itl", "output_tokens"):
        one.histograms[name] = {bucket_of(draw.lognormvariate(0.0, 0.7)): 1 for _ in range(20)}
    one.callers["team", "customer", "key"] = [20, 1, 4000]
    return one


def _median_s(work: Callable[[], None]) -> float:
    times = []
    for _ in range(_ROUNDS):
        before_s = time.process_time()
        work()
        times.append(time.process_time() - before_s)
    return statistics.median(times)
