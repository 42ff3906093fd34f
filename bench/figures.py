"""Reads kept rows and reduces them: medians, spread, and ratios taken round by round."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Figure = Callable[[Row], float | None]


@dataclass(frozen=True)
class Spread:
    """Median and extremes of one figure over the rounds; None where there is no reading."""

    median: float
    low: float
    high: float

    def text(self, digits: int, scale: float = 1.0) -> str:
        low, mid, high = (f"{v * scale:,.{digits}f}" for v in (self.low, self.median, self.high))
        return mid if low == mid == high else f"{mid} ({low} to {high})"


def spread(values: list[float]) -> Spread | None:
    return Spread(statistics.median(values), min(values), max(values)) if values else None


@dataclass
class Runs:
    """All rows of one run. `rows[name][round]`; `missing[name]` is why a gateway has none."""

    machine: dict[str, str] = field(default_factory=dict)
    rounds: int = 0
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def figure(self, name: str, of: Figure) -> Spread | None:
        found = (of(row) for row in self.rows.get(name, {}).values())
        return spread([value for value in found if value is not None])

    def paired(self, name: str, other: str, of: Figure, how: str) -> Spread | None:
        """`name` minus (`how` "-") or over ("/") `other`, each round with its own counterpart."""
        values = []
        for number, row in self.rows.get(name, {}).items():
            mate = self.rows.get(other, {}).get(number)
            a, b = of(row), of(mate) if mate else None
            if a is None or b is None or (how == "/" and b <= 0):
                continue
            values.append(a - b if how == "-" else a / b)
        return spread(values)


def read_lines(path: Path) -> list[Row]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def read_runs(path: Path) -> Runs:
    runs = Runs()
    for line in read_lines(path):
        if "name" not in line:
            runs.machine, runs.rounds = line["machine"], line["rounds"]
        elif "missing" in line:
            runs.missing[line["name"]] = line["missing"]
        else:
            runs.rows.setdefault(line["name"], {})[line["round"]] = line
    for name in runs.rows:
        runs.missing.pop(name, None)
    return runs


def _per(load: str, cpu: str, count: str) -> Figure:
    def figure(row: Row) -> float | None:
        step = row.get(load)
        if row["name"] == "direct" or not step or not step[count] or not step[cpu]:
            return None
        return 1e6 * float(step[cpu]) / float(step[count])

    return figure


def _of(load: str, key: str) -> Figure:
    def figure(row: Row) -> float | None:
        value = row.get(load, {}).get(key)
        return None if value is None or value < 0 else float(value)

    return figure


def _whole_tree_request_us(row: Row) -> float | None:
    step = row.get("requests")
    if row["name"] == "direct" or not step or not step["ok"]:
        return None
    return 1e6 * float(sum(step["settled_cpu_s"].values())) / float(step["ok"])


def _recorder_us(row: Row) -> float | None:
    """None also where receipts are missing: a recorder that records nothing is not cheap."""
    step = row.get("requests")
    if not step or not step["ok"] or "recorder" not in step["settled_cpu_s"]:
        return None
    if step.get("receipts", 0) < step["ok"]:
        return None
    return 1e6 * float(step["settled_cpu_s"]["recorder"]) / float(step["ok"])


def _group_mb(key: str, group: str) -> Figure:
    def figure(row: Row) -> float | None:
        value = row.get(key, {}).get(group)
        return float(value) if value else None

    return figure


def _stream_kb(row: Row) -> float | None:
    step = row.get("many_streams")
    if not step or not step["open_max"]:
        return None
    grown = float(step["rss_peak_mb"]["gateway"]) - float(step["rss_before_mb"])
    return 1024 * grown / float(step["open_max"])


def _streams_mb(row: Row) -> float | None:
    value = row.get("streams", {}).get("rss_peak_mb", {}).get("gateway")
    return float(value) if value else None


def _start(row: Row) -> float | None:
    return float(row["start_s"]) or None


def _requests_s(row: Row) -> float | None:
    step = row.get("requests")
    return float(step["ok"]) / float(step["elapsed_s"]) if step else None


def _chunks_s(row: Row) -> float | None:
    step = row.get("streams")
    return float(step["chunks"]) / float(step["elapsed_s"]) if step else None


request_us = _per("requests", "gateway_cpu_s", "ok")
chunk_us = _per("streams", "gateway_cpu_s", "chunks")
tree_us = _whole_tree_request_us
recorder_us = _recorder_us
single_p50, single_p99 = _of("single", "lat_p50"), _of("single", "lat_p99")
ttft_p50, ttft_p99 = _of("streams", "ttft_p50"), _of("streams", "ttft_p99")
stream_kb, streams_mb, start_s = _stream_kb, _streams_mb, _start
requests_s, chunks_s = _requests_s, _chunks_s
gateway_start_s: Figure = lambda row: row.get("gateway_start_s")  # noqa: E731
gateway_mb = _group_mb("rss_tokenised_mb", "gateway")
control_mb = _group_mb("rss_tokenised_mb", "recorder")
first_mb = _group_mb("rss_first_mb", "gateway")


def keep_scale(path: Path, row: Row) -> None:
    """Keep {what, unit, points: [[size, value], ..]} in place of an earlier line of that what."""
    rows = [old for old in read_lines(path) if old["what"] != row["what"]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in [*rows, row]))
