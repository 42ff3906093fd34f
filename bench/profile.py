"""Where the gateway's CPU time goes under the bench's own load: py-spy, read by function.

Self time is what a change can save; total time, with what a function calls, shows the stage.
With `--native` the C below is named too (uvloop, httptools, msgspec, system calls).
"""

import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench import install, steps
from bench.rig import Rig, Running

SAMPLES_A_SECOND = 250


def run(rig: Rig, running: Running, how: dict[str, Any]) -> int:
    """`how`: load ("plain", "streams"), seconds, native, top. Prints two tables."""
    seconds: int = how["seconds"]
    steps.warm_up(rig, running)
    if how["load"] == "plain":
        options: list[str | float] = ["-c", 64]
    else:
        rig.streams(steps.CHUNKS, steps.CHUNK_GAP_MS)
        options = ["-s", "-n", steps.CHUNKS, "-c", 240, "-r", steps.STREAM_RATE]
    raw = rig.work / "profile.txt"
    load = threading.Thread(target=rig.load, args=(running, *options, "-d", seconds + 4))
    load.start()
    time.sleep(3)  # the streams have reached their number
    _record(rig, _busiest(running), raw, how)
    load.join()
    _print(raw, how["top"])
    print(f"\nthe stacks, for a flame graph: {raw}")
    return 0


def _busiest(running: Running) -> int:
    pids = running.gateway_pids()
    if not pids:
        raise RuntimeError("the gateway process is gone")
    return pids[0]


def _record(rig: Rig, pid: int, raw: Path, how: dict[str, Any]) -> None:
    options = ["--duration", str(how["seconds"]), "--rate", str(SAMPLES_A_SECOND)]
    options += ["--format", "raw", "--output", str(raw), "--pid", str(pid)]
    options += ["--native"] if how["native"] else []
    command = rig.on_core(rig.load_core, [str(install.py_spy()), "record", *options])
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"py-spy: {result.stderr.strip() or result.stdout.strip()}")


def count(lines: list[str]) -> tuple[Counter[str], Counter[str], int]:
    """Lines `frame;frame;... N` -> samples by innermost frame, by any frame, and in all."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for line in lines:
        stack, _, number = line.rpartition(" ")
        frames = [_without_line(frame) for frame in stack.split(";")]
        if not number.isdigit() or not stack:
            continue
        samples += int(number)
        own[frames[-1]] += int(number)
        for frame in set(frames):
            total[frame] += int(number)
    return own, total, samples


def _without_line(frame: str) -> str:
    """`send (http/h1.py:120)` -> `send (http/h1.py)`: a function is one row, not each line."""
    head, colon, line = frame.rpartition(":")
    return f"{head})" if colon and line.rstrip(")").isdigit() else frame


def _print(raw: Path, top: int) -> None:
    own, total, samples = count(raw.read_text().splitlines())
    for title, counted in (("self time", own), ("total time", total)):
        print(f"\n{title}, of {samples} samples")
        for frame, number in counted.most_common(top):
            print(f"  {100 * number / max(1, samples):5.1f} %  {frame}")
