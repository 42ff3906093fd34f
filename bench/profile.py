"""Where the gateway's CPU time goes under the bench's own load.

py-spy samples the loop's thread and its samples are read by function: self time is what a change
can save, total time, with what a function calls, shows the stage. Its shares lean towards calls
into the kernel, where it finds the thread most easily: trust the order, not the digits. perf, where
it is installed, has no such lean: it says how much of the time is the kernel's and the
interpreter's, and names the C below.
"""

import shutil
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench import install, procs, steps
from bench.rig import Rig, Running

SAMPLES_A_SECOND = 250
_MAIN = "MainThread"


def run(rig: Rig, running: Running, how: dict[str, Any]) -> int:
    """`how`: load ("plain", "streams"), seconds, top. Prints what was found."""
    seconds: int = how["seconds"]
    pids = running.gateway_pids()
    if not pids:
        raise RuntimeError("the gateway process is gone")
    steps.warm_up(rig, running)
    options: list[str | float] = ["-c", 64]
    if how["load"] == "streams":
        rig.streams(steps.CHUNKS, steps.CHUNK_GAP_MS)
        options = ["-s", "-n", steps.CHUNKS, "-c", 240, "-r", steps.STREAM_RATE]
    load = threading.Thread(target=rig.load, args=(running, *options, "-d", 3 * seconds + 4))
    load.start()
    time.sleep(3)  # the streams have reached their number
    _threads(pids[0], seconds)
    _kernel(rig, pids[0], how)
    raw = rig.work / "profile.txt"
    _record(rig, pids[0], raw, seconds)
    load.join()
    _print(raw, how["top"])
    print(f"\nthe stacks, for a flame graph: {raw}")
    return 0


def _threads(pid: int, seconds: int) -> None:
    """Which threads burn CPU, before any tool watches: the loop's own, fsync, the watchdog."""
    before = procs.thread_cpu_s(pid)
    time.sleep(seconds)
    print(f"\nCPU of each thread over {seconds} s")
    for thread, spent in procs.thread_cpu_s(pid).items():
        share = 100 * (spent - before.get(thread, 0.0)) / seconds
        print(f"  {share:5.1f} %  thread {thread}{' (the loop)' if thread == pid else ''}")


def _kernel(rig: Rig, pid: int, how: dict[str, Any]) -> None:
    """Kernel, interpreter and C libraries, by object and by symbol."""
    if not shutil.which("perf"):
        print("\nperf is not installed: no view below Python")
        return
    data = str(rig.work / "perf.data")
    record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "997", "-p", str(pid), "-o", data]
    record += ["--", "sleep", str(how["seconds"])]
    subprocess.run(rig.on_core(rig.load_core, record), capture_output=True, check=False)
    for title, key in (("object", "dso"), ("symbol", "sym")):
        report = ["perf", "report", "-i", data, "--stdio", "--sort", key]
        said = subprocess.run(report, capture_output=True, text=True, check=False).stdout
        lines = [line for line in said.splitlines() if "%" in line and not line.startswith("#")]
        print(f"\nCPU by {title}")
        print("\n".join(f"  {line.strip()[:110]}" for line in lines[: how["top"]]))


def _record(rig: Rig, pid: int, raw: Path, seconds: int) -> None:
    options = ["--duration", str(seconds), "--rate", str(SAMPLES_A_SECOND), "--threads"]
    options += ["--format", "raw", "--output", str(raw), "--pid", str(pid)]
    command = rig.on_core(rig.load_core, [str(install.py_spy()), "record", *options])
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"py-spy: {result.stderr.strip() or result.stdout.strip()}")


def count(lines: list[str]) -> tuple[Counter[str], Counter[str], int]:
    """Lines `thread;frame;frame N` -> the loop thread's samples by innermost frame, by any frame,
    and in all. Waiting threads are left out: py-spy takes some of them for busy."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for line in lines:
        stack, _, number = line.rpartition(" ")
        thread, *frames = [_without_line(frame) for frame in stack.split(";")]
        if not number.isdigit() or not frames or _MAIN not in thread:
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
        print(f"\n{title}, of {samples} samples of the loop's thread")
        for frame, number in counted.most_common(top):
            print(f"  {100 * number / max(1, samples):5.1f} %  {frame}")
