"""CPU that the recorder spends on a receipt: journal to ledger and metrics, all of it.

Writes realistic receipts to a journal, then runs the recorder over it and reads this process's
CPU time. `python -m bench.recorder_cost [--receipts 50000] [--batch 2000] [--profile]`.
"""

import argparse
import cProfile
import pstats
import random
import tempfile
import time
from pathlib import Path

from tidegate.core import clock
from tidegate.core.layout import Layout, segment_name
from tidegate.core.receipt import SEGMENT_MAGIC, Attempt, Receipt, encode_frame
from tidegate.record import recorder
from tidegate.record.metrics import Metrics
from tidegate.stores import database, migrate

_SEGMENT_BYTES = 16 * 1024 * 1024


def realistic(draw: random.Random, receipt_id: str, started_at_s: float) -> Receipt:
    """A streamed chat request, one in fifty failed, over 5 teams, 20 keys, 6 routes."""
    failed = draw.random() < 0.02
    route = f"route-{draw.randrange(6)}"
    ttft_s = draw.lognormvariate(-1.5, 0.6)
    tokens = draw.randrange(20, 600)
    total_s = ttft_s + tokens * 0.02
    team = draw.randrange(5)
    return Receipt(
        id=receipt_id,
        started_at_s=started_at_s,
        gateway="gateway-0",
        endpoint="chat",
        plan_version=3,
        key_id=f"key{team}{draw.randrange(4):04d}",
        team=f"team-{team}",
        customer="acme",
        end_user=f"user-{draw.randrange(1000)}",
        environment="production",
        trace_id=f"{draw.getrandbits(128):032x}",
        route=route,
        release="r1",
        target=f"{route}-vllm",
        provider="vllm",
        replica="replica-0",
        model_asked=route,
        model_served="Qwen/Qwen2.5-7B-Instruct",
        provider_request_id=f"chatcmpl-{draw.getrandbits(96):024x}",
        stream=True,
        input_bytes=3000,
        input_tokens=draw.randrange(100, 4000),
        cache_read_tokens=draw.choice([None, 0, 512]),
        output_tokens=None if failed else tokens,
        cost_nanousd=None if failed else tokens * 400,
        price_version="genai-prices-0.2.3",
        gateway_s=0.0003,
        queue_s=0.0,
        connect_s=0.0,
        first_token_s=ttft_s,
        generation_s=total_s - ttft_s,
        ttft_s=ttft_s,
        itl_mean_s=0.02,
        itl_max_s=0.06,
        output_tokens_per_s=50.0,
        total_s=total_s,
        content_chunks=tokens,
        status=200,
        finish_reason=None if failed else "stop",
        interrupted=failed,
        error_code="upstream_interrupted" if failed else None,
        error_fault="provider" if failed else None,
        error_message="The provider ended the stream early." if failed else None,
        attempts=[Attempt(f"{route}-vllm", "replica-0", 0.0002, True, 0.0, 0.0004, total_s, 200)],
    )


def write_journal(folder: Path, count: int) -> int:
    """`count` receipts into segments of the usual size; returns their bytes."""
    draw, ids, written = random.Random(7), clock.IdSource(), 0
    folder.mkdir(parents=True)
    number, file = 0, None
    for _ in range(count):
        if file is None or file.tell() > _SEGMENT_BYTES:
            number += 1
            if file is not None:
                file.close()
            file = (folder / segment_name(number)).open("wb")
            file.write(SEGMENT_MAGIC)
        written += file.write(encode_frame(realistic(draw, ids.new(), clock.wall_s())))
    if file is not None:
        file.close()
    return written


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--receipts", type=int, default=50_000)
    arguments.add_argument("--batch", type=int, default=recorder.MAX_BATCH_RECEIPTS)
    arguments.add_argument("--profile", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        size = write_journal(layout.journal_of("gateway-0"), options.receipts)
        engine = database.open_engine(layout.ledger_db)
        migrate.migrate(engine)
        recorder.MAX_BATCH_RECEIPTS = options.batch
        works = recorder.Recorder(layout, engine, Metrics())
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        assert works.drain(max_steps=10 * options.receipts)
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        profile.disable()
        works.close()
        engine.dispose()
    each = options.receipts
    print(f"{each} receipts of {size / each:.0f} bytes, {options.batch} a transaction:")
    print(f"{cpu_s / each * 1e6:.1f} us CPU and {wall_s / each * 1e6:.1f} us wall a receipt")
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(20)


if __name__ == "__main__":
    main()
