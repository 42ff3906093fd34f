"""The measuring steps of one gateway in one round. Each returns plain figures for `report`."""

import time
from collections.abc import Callable
from typing import Any

from bench import procs
from bench.rig import Rig, Running

STREAMS = 200
CHUNKS = 100
CHUNK_GAP_MS = 20.0
# 200 streams of 100 chunks at 20 ms last 2 s each: 100 new ones a second keep 200 open.
STREAM_RATE = STREAMS / (CHUNKS * CHUNK_GAP_MS / 1000)
MANY_STREAMS = 1000


def warm_up(rig: Rig, running: Running) -> None:
    rig.streams(CHUNKS, 0)
    rig.load(running, "-c", 64, "-d", 1)
    rig.load(running, "-c", 64, "-d", 0.5, "-s")
    procs.settle(running.all_pids())


def request_cpu(rig: Rig, running: Running) -> dict[str, Any]:
    """64 connections, closed loop, 3 s; then wait for the recorder to have caught up."""
    receipts = steady_receipts(running.recorded) if running.recorded else 0
    before = {name: procs.cpu_s(pids) for name, pids in running.groups().items()}
    figures = rig.load(running, "-c", 64, "-d", 3)
    figures["settle_s"] = procs.settle(running.all_pids())
    if running.recorded:
        held = await_receipts(running.recorded, receipts + figures["ok"])
        figures["receipts"] = held - receipts
        procs.settle(running.all_pids())
    figures["settled_cpu_s"] = {
        name: procs.cpu_s(pids) - before.get(name, 0.0) for name, pids in running.groups().items()
    }
    return figures


def steady_receipts(recorded: Callable[[], int], limit_s: float = 30.0) -> int:
    """How many receipts the ledger holds once all that were on their way have come."""
    start = time.monotonic()
    before, count = -1, recorded()
    while count != before and time.monotonic() - start < limit_s:
        time.sleep(1.0)
        before, count = count, recorded()
    return count


def await_receipts(recorded: Callable[[], int], wanted: int, limit_s: float = 30.0) -> int:
    """Wait until the ledger holds `wanted` receipts; -> how many it holds, fewer at the limit."""
    start = time.monotonic()
    while (count := recorded()) < wanted and time.monotonic() - start < limit_s:
        time.sleep(0.1)
    return count


def single_latency(rig: Rig, running: Running) -> dict[str, Any]:
    """One connection, open loop, far below saturation, 6 s."""
    return rig.load(running, "-c", 1, "-r", running.peer.single_rate, "-d", 6)


def paced_streams(rig: Rig, running: Running) -> dict[str, Any]:
    """200 open streams at 20 ms between chunks, open loop, 5 s and the streams' ends."""
    rig.streams(CHUNKS, CHUNK_GAP_MS)
    figures = rig.load(running, "-s", "-n", CHUNKS, "-c", 240, "-r", STREAM_RATE, "-d", 5)
    figures["settle_s"] = procs.settle(running.all_pids())
    return figures


def stream_memory(rig: Rig, running: Running, streams: int = MANY_STREAMS) -> dict[str, Any]:
    """Resident memory of the gateway before and while `streams` are open at once."""
    procs.settle(running.all_pids())
    rig.streams(20, 200)
    before = procs.rss_mb(running.gateway_pids())
    figures = rig.load(running, "-s", "-n", 20, "-c", streams, "-S", 1000, "-d", 2)
    figures["rss_before_mb"] = before
    rig.streams(CHUNKS, 0)
    return figures


def memory_now(running: Running) -> dict[str, float]:
    return {name: procs.rss_mb(pids) for name, pids in running.groups().items()}


def measure(rig: Rig, running: Running) -> dict[str, Any]:
    """All steps, in the order in which they disturb one another least."""
    procs.settle(running.all_pids())
    row: dict[str, Any] = {
        "name": running.peer.name,
        "version": running.peer.version,
        "note": running.peer.note,
        "single_rate": running.peer.single_rate,
        "at": time.strftime("%H:%M:%S", time.gmtime()),
        "start_s": running.start_s,
        "rss_first_mb": memory_now(running),
        **running.extra,
    }
    warm_up(rig, running)
    row["rss_warm_mb"] = memory_now(running)
    row["single"] = single_latency(rig, running)
    row["requests"] = request_cpu(rig, running)
    row["streams"] = paced_streams(rig, running)
    if running.recorded:  # Tidegate alone keeps receipts
        row["many_streams"] = stream_memory(rig, running)
    return row


def errors(row: dict[str, Any]) -> int:
    """Wrong, broken and refused answers of all steps; overload (unfinished) is not among them."""
    kinds = ("bad_status", "bad_body", "broken", "connect_errors")
    loads = (row[step] for step in ("single", "requests", "streams", "many_streams") if step in row)
    return sum(int(load[kind]) for load in loads for kind in kinds)
