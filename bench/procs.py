"""What the kernel says of processes and cores: CPU time, resident memory, affinity. Linux only."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def _stat_fields(pid: int | str) -> list[str]:
    """Fields of /proc/PID/stat from the third on (the second may hold spaces)."""
    return (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()


def tree(pid: int) -> list[int]:
    """`pid` and all its descendants, alive now."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int(_stat_fields(entry.name)[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """User and system time of these processes, all threads, in seconds; the dead count 0."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = _stat_fields(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK_S


def thread_cpu_s(pid: int) -> dict[int, float]:
    """User and system time of each thread of a process, in seconds."""
    found = {}
    for thread in (PROC / str(pid) / "task").iterdir():
        with suppress(OSError):
            fields = _stat_fields(f"{pid}/task/{thread.name}")
            found[int(thread.name)] = (int(fields[11]) + int(fields[12])) * TICK_S
    return found


def rss_mb(pids: Iterable[int]) -> float:
    """Resident memory, summed, in MB (2^20 bytes); pages that processes share count for each."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int((PROC / str(pid) / "statm").read_text().split()[1])
    return pages * PAGE_BYTES / 2**20


def command_line(pid: int) -> str:
    with suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return ""


def pin(pids: Iterable[int], core: int) -> None:
    """Bind every thread of these processes to one core."""
    for pid in pids:
        with suppress(OSError):
            for thread in (PROC / str(pid) / "task").iterdir():
                with suppress(OSError):
                    os.sched_setaffinity(int(thread.name), {core})


class CoreTimes(NamedTuple):
    """Seconds since boot that a core was busy, and that the hypervisor took from it."""

    busy_s: float
    steal_s: float


def core_times(core: int) -> CoreTimes:
    for line in (PROC / "stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
            busy = user + nice + system + irq + softirq
            return CoreTimes(busy * TICK_S, steal * TICK_S)
    raise LookupError(f"this machine has no core {core}; set BENCH_GATEWAY_CORE, BENCH_LOAD_CORE")


def settle(pids: list[int], limit_s: float = 15.0) -> float:
    """Wait until these processes are idle (under 5 % of a core); -> seconds waited."""
    start = time.monotonic()
    before = cpu_s(pids)
    while time.monotonic() - start < limit_s:
        time.sleep(0.4)
        after = cpu_s(pids)
        if after - before <= 0.02:
            break
        before = after
    return time.monotonic() - start


def stop(process: subprocess.Popen[bytes], patience_s: float = 5.0) -> None:
    """End a process and all that it started: TERM to the first, then KILL to what is left."""
    pids = tree(process.pid)
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(patience_s)
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(2)
