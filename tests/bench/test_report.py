"""The table: medians, ratios within a round, and what is missing is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import figures, profile, report


def step(**figures: float) -> dict[str, Any]:
    blank: dict[str, Any] = {
        "ok": 1000, "chunks": 0, "elapsed_s": 1.0, "gateway_cpu_s": 0.0, "bad_status": 0,
        "bad_body": 0, "broken": 0, "connect_errors": 0, "unfinished": 0, "unsent": 0,
        "lat_p50": 1.0, "lat_p99": 2.0, "ttft_p50": 1.0, "ttft_p99": 2.0, "late_p99": 0.1,
        "gateway_util": 0.9, "load_util": 0.5, "foreign_gateway_core": 0.0,
        "foreign_load_core": 0.0, "rss_peak_mb": {"gateway": 70.0}, "settled_cpu_s": {},
    }  # fmt: skip
    return {**blank, **figures}


def row(name: str, number: int, request_us: float, chunk_us: float = 20.0) -> dict[str, Any]:
    return {
        "name": name, "version": "1.0", "note": "", "round": number, "start_s": 0.5,
        "rss_first_mb": {"gateway": 50.0},
        "single": step(lat_p50=0.1 if name == "direct" else 0.4),
        "requests": step(gateway_cpu_s=request_us / 1000),
        "streams": step(chunks=1000, gateway_cpu_s=chunk_us / 1000),
    }  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Path:
    tidegate = row("tidegate", 0, 40.0, chunk_us=30.0)
    tidegate["requests"]["receipts"] = 1000
    tidegate["requests"]["settled_cpu_s"] = {"gateway": 0.04, "recorder": 0.09}
    lines = [
        {"machine": {"commit": "abc1234"}, "rounds": 2},
        row("direct", 0, 0.0),
        tidegate,
        row("vllm-router", 0, 50.0),
        row("direct", 1, 0.0),
        row("tidegate", 1, 90.0, chunk_us=30.0),  # the whole machine was slower in this round
        row("vllm-router", 1, 100.0),
        {"name": "portkey", "round": 0, "missing": "npm failed: no such version"},
    ]
    (tmp_path / "run.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def test_a_ratio_is_taken_within_its_round(results: Path) -> None:
    runs = figures.read_runs(results / "run.jsonl")
    ratio = runs.paired("tidegate", "vllm-router", figures.request_us, "/")
    assert ratio is not None
    assert (ratio.low, round(ratio.median, 3), ratio.high) == (0.8, 0.85, 0.9)


def test_what_is_added_is_over_the_direct_call(results: Path) -> None:
    runs = figures.read_runs(results / "run.jsonl")
    added = runs.paired("tidegate", "direct", figures.single_p50, "-")
    assert added is not None
    assert round(added.median, 6) == 0.3


def test_the_bars_say_whether_they_are_met(results: Path) -> None:
    lines = report.render(results).splitlines()
    chunk = next(line for line in lines if "200 streams: over vllm-router" in line)
    assert "1.50 x" in chunk
    assert chunk.endswith("| **no** |")
    latency = next(line for line in lines if "1 connection: p50" in line)
    assert latency.endswith("| yes |")


def test_what_was_not_measured_is_said_not_zero(results: Path) -> None:
    text = report.render(results)
    assert "| portkey | not run: npm failed: no such version |" in text
    start = next(line for line in text.splitlines() if "start to first answer" in line)
    assert "| not measured |" in start
    assert "{{" not in text


def test_the_recorder_is_charged_by_request(results: Path) -> None:
    runs = figures.read_runs(results / "run.jsonl")
    recorder = runs.figure("tidegate", figures.recorder_us)
    assert recorder is not None
    assert round(recorder.median) == 90


def test_a_recorder_that_lost_receipts_has_no_figure() -> None:
    short = row("tidegate", 0, 40.0)
    short["requests"] |= {"receipts": 999, "settled_cpu_s": {"recorder": 0.01}}
    assert figures.recorder_us(short) is None


def test_a_gateway_that_ran_in_one_round_is_not_missing(tmp_path: Path) -> None:
    lines = [
        {"machine": {}, "rounds": 2},
        {"name": "nginx", "round": 0, "missing": "busy"},
        row("nginx", 1, 10.0),
    ]
    (tmp_path / "run.jsonl").write_text("\n".join(map(json.dumps, lines)))
    runs = figures.read_runs(tmp_path / "run.jsonl")
    assert runs.missing == {}
    assert list(runs.rows) == ["nginx"]


def test_a_profile_counts_functions_not_lines() -> None:
    lines = [
        "thread (0x7f): MainThread;run (a.py:1);send (h1.py:10) 3",
        "thread (0x7f): MainThread;run (a.py:1);send (h1.py:12) 2",
        "thread (0x7f): MainThread;run (a.py:2) 5",
        "thread (0x80): fsync;run (a.py:2) 90",
    ]
    own, total, samples = profile.count(lines)
    assert samples == 10
    assert own["send (h1.py)"] == 5
    assert total["run (a.py)"] == 10


def test_the_bars_hold_with_limits_on_too(results: Path) -> None:
    with (results / "run.jsonl").open("a") as kept:
        print(file=kept)
        for number in (0, 1):
            print(json.dumps(row("tidegate-limited", number, 60.0)), file=kept)
    [over, *_] = report.bars(figures.read_runs(results / "run.jsonl"), report.LIMITED)
    assert over.value is not None
    assert (over.value.low, over.value.high) == (0.6, 1.2)


def test_a_limit_that_was_not_measured_is_said() -> None:
    what, bar = report.LIMIT_BARS[0]
    kept = [{"what": what, "unit": "us", "points": [[1, 99.0], [10, bar]]}]
    lines = [one.line() for one in report.limit_bars(kept)]
    assert lines[0].endswith("| <= 15 us |  | yes |")
    assert all("not measured" in line for line in lines[1:])
