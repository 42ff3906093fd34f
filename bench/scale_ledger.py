"""Whether the ledger's cost grows with its rows: inserting, listing, tailing, summing up, and what
budgets of a month begin with.

`python -m bench.scale_ledger [--rows 100000 1000000] [--keys 10000] [--folder DIR]`. Each size is
measured as the ledger grows to it. Rows are spread over the last 30 days, as in use. About 1 GB
a million rows. Figures are CPU of this process, the median of five, with the file in memory.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Engine, func, select

from tidegate.core import clock
from tidegate.core.plan import Limit
from tidegate.core.receipt import Attempt, Receipt
from tidegate.stores import database, migrate, receipts
from tidegate.stores.ledger import Ledger, Position
from tidegate.stores.receipts import Filter
from tidegate.stores.schema import spend
from tidegate.stores.spend_reader import SpendReader
from tidegate.stores.summary import summary

_BATCH = 2000
_TIMED_ROWS = 50_000
_SPAN_S = 30 * 86_400.0

_encode = msgspec.msgpack.Encoder().encode


class Source:
    """Receipts in the order of time, `step_s` apart."""

    def __init__(self, keys: int, step_s: float) -> None:
        self._draw = random.Random(3)
        self._keys = [f"k{number:07d}" for number in range(keys)]
        self._step_s = step_s
        self.now_s = clock.wall_s() - _SPAN_S
        self.last_id = ""

    def batch(self, count: int) -> list[tuple[Receipt, bytes]]:
        made = [self._one() for _ in range(count)]
        self.last_id = made[-1].id
        return [(one, _encode(one)) for one in made]

    def _one(self) -> Receipt:
        draw = self._draw
        self.now_s += self._step_s
        tokens = draw.randrange(1, 500)
        return Receipt(
            id=f"{receipts.first_id_at(self.now_s)}-7{draw.getrandbits(76):019x}",
            started_at_s=self.now_s,
            gateway="g0",
            endpoint="chat",
            key_id=draw.choice(self._keys),
            team=f"team-{draw.randrange(50)}",
            end_user=f"user-{draw.randrange(10_000)}",
            attributes={"project": f"project-{draw.randrange(20)}"},
            route=f"route-{draw.randrange(1000)}",
            target="target",
            provider="vllm",
            input_tokens=900,
            output_tokens=tokens,
            cost_nanousd=tokens * 400,
            ttft_s=draw.random(),
            total_s=draw.random() * 9,
            output_tokens_per_s=50.0,
            status=200,
            error_code="upstream_error" if draw.random() < 0.01 else None,
            attempts=[Attempt("target", "r0", 0.0)],
        )


def grow(engine: Engine, source: Source, count: int) -> Iterator[float]:
    """Inserts; yields the seconds of CPU that each batch took in the ledger."""
    ledger = Ledger(engine)
    for number in range(count // _BATCH):
        batch = source.batch(_BATCH)
        before_s = time.process_time()
        ledger.write(batch, [Position("g0", 1, number)])
        yield time.process_time() - before_s


def questions(engine: Engine, source: Source) -> dict[str, Callable[[], object]]:
    hour = Filter(since_s=source.now_s - 3600)
    seq = receipts.newest_seq(engine)
    return {
        "by id": lambda: receipts.by_id(engine, source.last_id),
        "newest 100": lambda: receipts.recent(engine, Filter()),
        "newest 100 of a key": lambda: receipts.recent(engine, Filter(key_id="k0000007")),
        "newest 100 of a route": lambda: receipts.recent(engine, Filter(route="route-7")),
        "newest 100 that failed": lambda: receipts.recent(engine, Filter(failed=True)),
        "100 of a day 20 days ago": lambda: receipts.recent(
            engine, Filter(until_s=source.now_s - 20 * 86_400)
        ),
        "tail": lambda: receipts.arrived_after(engine, seq - 100, Filter()),
        "10 slowest, last hour": lambda: receipts.top(engine, "slowest", hour),
        "summary, last hour": lambda: summary(engine, hour),
        "summary, everything (newest 200,000)": lambda: summary(engine, Filter()),
    }


def budgets(reader: SpendReader, source: Source) -> dict[str, Callable[[], object]]:
    """What a budget of a month asks when it begins, by whose it is."""
    since_s = source.now_s - _SPAN_S

    def of(dimension: str, value: str) -> Callable[[], object]:
        limit = Limit("bench", "spend", 1, (dimension,) if dimension else (), unit="month")

        def ask() -> object:
            with reader.snapshot() as snapshot:
                return snapshot.spent(limit, value, since_s)

        return ask

    return {
        "spent in a month, a key": of("key", "k0000007"),
        "spent in a month, a team": of("team", "team-7"),
        "spent in a month, everything": of("", ""),
        "spent in a month, an end user": of("end_user", "user-7"),
        "spent in a month, an attribute": of("attribute.project", "project-7"),
    }


def cpu_ms(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        before_s = time.process_time()
        ask()
        times.append(time.process_time() - before_s)
    return statistics.median(times) * 1000


def report(engine: Engine, source: Source, path: Path, rows: int, insert_us: float) -> None:
    with database.reading(engine) as connection:
        quarters = connection.execute(select(func.count()).select_from(spend)).scalar_one()
    print(f"\n{rows:,} rows, {quarters:,} of `spend`, {path.stat().st_size / 1e9:.2f} GB")
    print(f"  {'insert, a row':<40}{insert_us:>10.1f} us")
    reader = SpendReader(path, timeout_s=60.0)
    for name, ask in {**questions(engine, source), **budgets(reader, source)}.items():
        print(f"  {name:<40}{cpu_ms(ask):>10.2f} ms", flush=True)
    reader.close()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments.add_argument("--keys", type=int, default=10_000)
    arguments.add_argument("--folder", type=Path)
    options = arguments.parse_args()
    sizes = sorted(options.rows)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "ledger.db"
        engine = database.open_engine(path)
        migrate.migrate(engine)
        source, rows = Source(options.keys, _SPAN_S / sizes[-1]), 0
        for size in sizes:
            times = list(grow(engine, source, size - rows))
            rows = size
            last = times[-_TIMED_ROWS // _BATCH :]
            report(engine, source, path, rows, sum(last) / (len(last) * _BATCH) * 1e6)
        engine.dispose()


if __name__ == "__main__":
    main()
