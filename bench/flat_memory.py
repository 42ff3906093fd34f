"""Is memory flat? Many requests, plain and streamed, with a reading after every piece."""

import json
import time
from pathlib import Path

from bench import machine, procs, steps
from bench.rig import Rig, Running

CHUNKS = 10


def run(
    rig: Rig, running: Running, kept: Path, size: tuple[int, int], streamed_share: float
) -> int:
    """`size` is (requests, pieces). Appends one JSON line a piece, so a cut run still tells."""
    requests, pieces = size
    each = max(10, requests // pieces)
    rig.streams(CHUNKS, 0)
    rig.load(running, "-c", 64, "-d", 1)
    done = bad = 0
    with kept.open("w") as out:
        print(json.dumps({"machine": machine.describe(), "requests": requests}), file=out)
        while done < requests:
            since = time.monotonic()
            streamed = int(each * streamed_share)
            kinds: list[tuple[int, list[str | float]]] = [
                (each - streamed, []),
                (streamed, ["-s", "-n", CHUNKS]),
            ]
            for count, options in kinds:
                if not count:
                    continue
                figures = rig.load(running, "-c", 64, "-d", 600, "-N", count, *options)
                bad += figures["sent"] - figures["ok"]
                done += figures["ok"]
            caught_up_s = procs.settle(running.all_pids(), 120.0)
            memory_mb = steps.memory_now(running)
            row = {
                "requests": done,
                "bad": bad,
                "rss_mb": memory_mb,
                "seconds": time.monotonic() - since,
                "caught_up_s": caught_up_s,
            }
            print(json.dumps(row), file=out, flush=True)
            shown = ", ".join(f"{name} {mb:.1f} MB" for name, mb in memory_mb.items())
            print(f"{done:>9} requests, {bad} bad, {row['seconds']:.0f} s: {shown}", flush=True)
            if bad:
                return 1
    return 0
