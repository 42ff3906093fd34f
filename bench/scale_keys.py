"""Whether a gateway's look-up of a key grows with the keys: 10^2 to 10^6 of them.

`python -m bench.scale_keys [--keys 100 10000 1000000]`.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from tidegate.stores import database, migrate, schema
from tidegate.stores.key_reader import KeyReader

_BATCH = 10_000
_READS = 5000


def fill(path: Path, first: int, upto: int) -> None:
    engine = database.open_engine(path)
    migrate.migrate(engine)
    for start in range(first, upto, _BATCH):
        rows = [
            {
                "id": f"{number:08d}",
                "digest": b"\x01" * 32,
                "pepper_version": 1,
                "name": f"key {number}",
                "team": f"team-{number % 1000}",
                "purpose": "production",
                "routes": '["*"]',
                "attributes": "{}",
                "created_at_s": 1.0,
            }
            for number in range(start, min(start + _BATCH, upto))
        ]
        with database.writing(engine) as connection:
            connection.execute(insert(schema.keys), rows)
    engine.dispose()


def measure(path: Path, count: int) -> tuple[float, float]:
    """Median and 99th percentile of one read of a random key, in microseconds."""
    draw, reader, times = random.Random(1), KeyReader(path), []
    for _ in range(_READS):
        key_id = f"{draw.randrange(count):08d}"
        before_s = time.perf_counter()
        assert reader.get(key_id) is not None
        times.append((time.perf_counter() - before_s) * 1e6)
    reader.close()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--keys", type=int, nargs="+", default=[100, 10_000, 1_000_000])
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, filled = Path(folder) / "ledger.db", 0
        for count in sorted(options.keys):
            fill(path, filled, count)
            filled = count
            p50_us, p99_us = measure(path, count)
            print(f"{count:>9,} keys: p50 {p50_us:.1f} us, p99 {p99_us:.1f} us a read", flush=True)


if __name__ == "__main__":
    main()
