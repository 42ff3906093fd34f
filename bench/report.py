"""Writes docs/benchmarks.md from the kept rows. Figures only as measured; absent is said."""

from dataclasses import dataclass
from pathlib import Path

from bench import figures as f
from bench import steps
from bench.figures import Figure, Row, Runs, Spread, read_lines, read_runs

TIDEGATE = "tidegate"
LIMITED = "tidegate-limited"  # the same with three limits and a budget in force
# Bars that `python -m bench limits` and `redis` have figures for: (what they keep, bar).
LIMIT_BARS = (
    ("CPU a request of ten limits in force, gate to settle", 15.0),
    ("CPU of a prompt's fingerprint a KB, by its KB", 3.0),
    ("Redis: CPU of 10 limits in slice mode", 15.0),
    ("Valkey: CPU of 10 limits in slice mode", 15.0),
    ("Redis: wait of 3 limits in exact mode, p50", 0.6),
    ("Valkey: wait of 3 limits in exact mode, p50", 0.6),
    ("memory of a live bucket, by live buckets", 400.0),
)


@dataclass(frozen=True)
class Bar:
    """One line of the table of bars. `limit` and `aim` are in the unit that is shown."""

    figure: str
    value: Spread | None
    unit: str
    limit: float
    aim: float | None
    digits: int = 2
    aim_digits: int = 2

    def line(self) -> str:
        aim = "" if self.aim is None else f"{self.aim:g} {self.unit}".strip()
        limit = f"<= {self.limit:g} {self.unit}".strip()
        if self.value is None:
            return f"| {self.figure} | not measured | {limit} | {aim} | |"
        met = "yes" if self.value.median <= self.limit else "**no**"
        shown = f"{self.value.text(self.digits)} {self.unit}".strip()
        return f"| {self.figure} | {shown} | {limit} | {aim} | {met} |"


def bars(runs: Runs, name: str = TIDEGATE) -> list[Bar]:
    def own(of: Figure) -> Spread | None:
        return runs.figure(name, of)

    def over(peer: str, of: Figure) -> Spread | None:
        return runs.paired(name, peer, of, "/")

    def added(of: Figure) -> Spread | None:
        return runs.paired(name, "direct", of, "-")

    def ms(value: Spread | None) -> Spread | None:
        return value and Spread(*(v / 1000 for v in (value.median, value.low, value.high)))

    one_conn, at_200 = "added latency over direct, 1 connection", "added TTFT at 200 streams"
    request, chunk = "CPU a request, non-streaming, 64 connections", "CPU a chunk, 200 streams"
    return [
        Bar(f"{request}: over vllm-router", over("vllm-router", f.request_us), "x", 0.8, None),
        Bar(f"{request}: over LiteLLM", over("litellm", f.request_us), "x", 0.01, None, 4),
        Bar(f"{request}: over Portkey", over("portkey", f.request_us), "x", 0.05, None, 3),
        Bar(f"{request}: itself (bar at the reference's 0.113 ms)", ms(own(f.request_us)), "ms",
            0.0904, 0.06, 3),
        Bar(f"{chunk}: over vllm-router", over("vllm-router", f.chunk_us), "x", 1.0, None),
        Bar(f"{chunk}: itself (bar at the reference's 34 us)", own(f.chunk_us), "us", 34, 28, 1),
        Bar(f"{one_conn}: p50", added(f.single_p50), "ms", 0.4, 0.25),
        Bar(f"{one_conn}: p99", added(f.single_p99), "ms", 1.5, None),
        Bar(f"{at_200}: p50", added(f.ttft_p50), "ms", 0.8, 0.4),
        Bar(f"{at_200}: p99", added(f.ttft_p99), "ms", 4, 2),
        Bar("recorder, all cores together, a request", own(f.recorder_us), "us", 150, 80, 0),
        Bar("gateway memory after the first tokenised request", own(f.gateway_mb), "MB", 90, 60, 1),
        Bar("control memory after the first tokenised request", own(f.control_mb), "MB", 150,
            None, 1),
        Bar(f"memory an open stream ({steps.MANY_STREAMS} open)", own(f.stream_kb), "KB", 60, None,
            1),
        Bar("gateway start to first answer", own(f.gateway_start_s), "s", 1, 0.4),
    ]  # fmt: skip


def limit_bars(rows: list[Row]) -> list[Bar]:
    """Of lines kept by `figures.keep_scale`: the figure of the largest size."""
    kept = {row["what"]: row for row in rows}
    lines = []
    for what, limit in LIMIT_BARS:
        row = kept.get(what)
        value = None if row is None else float(row["points"][-1][1])
        spread = None if value is None else Spread(value, value, value)
        lines.append(Bar(what, spread, "" if row is None else row["unit"], limit, None, 1))
    return lines


def cell(value: Spread | None, digits: int, scale: float = 1.0) -> str:
    return "-" if value is None else value.text(digits, scale)


def _label(runs: Runs, name: str) -> str:
    version = next(iter(runs.rows[name].values()))["version"]
    return f"{name} {version}".strip()


def side_by_side(runs: Runs) -> list[str]:
    columns = [
        "gateway", "CPU a request, ms", "Tidegate / it", "CPU a chunk, us", "Tidegate / it",
        "requests/s, 64 connections", "+latency p50, ms", "p99", "+TTFT p50, ms", "p99",
        "chunks/s of 200 streams", "start, s", "memory, MB", "with 200 streams", "errors",
    ]  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name, rows in runs.rows.items():
        ratios = [
            cell(runs.paired(TIDEGATE, name, of, "/"), digits) if name != TIDEGATE else ""
            for of, digits in ((f.request_us, 4), (f.chunk_us, 3))
        ]
        added = [
            cell(runs.paired(name, "direct", of, "-"), 2) if name != "direct" else "0"
            for of in (f.single_p50, f.single_p99, f.ttft_p50, f.ttft_p99)
        ]
        cells = [
            _label(runs, name),
            cell(runs.figure(name, f.request_us), 3, 0.001),
            ratios[0],
            cell(runs.figure(name, f.chunk_us), 1),
            ratios[1],
            cell(runs.figure(name, f.requests_s), 0),
            *added,
            cell(runs.figure(name, f.chunks_s), 0),
            cell(runs.figure(name, f.start_s), 2),
            cell(runs.figure(name, f.first_mb), 0),
            cell(runs.figure(name, f.streams_mb), 0),
            str(sum(steps.errors(row) for row in rows.values())),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for name, reason in runs.missing.items():
        lines.append(f"| {name} | not run: {reason} |" + " |" * (len(columns) - 2))
    return lines


def trust(runs: Runs) -> list[str]:
    """How busy the load's core was, and how much of either core others took, step by step."""
    lines = ["| gateway | step | gateway's core, ours | load's core: mock and load | others on the "
             "gateway's core | others on the load's core | late p99, ms | unfinished |",
             "|" + "---|" * 8]  # fmt: skip
    for name in runs.rows:
        for step in ("requests", "single", "streams"):
            shares = [
                cell(runs.figure(name, _share(step, key)), 0, 100)
                for key in ("gateway_util", "load_util", "foreign_gateway_core",
                            "foreign_load_core")
            ]  # fmt: skip
            late = (
                cell(runs.figure(name, _share(step, "late_p99")), 2) if step != "requests" else ""
            )
            lost = sum(r[step]["unfinished"] + r[step]["unsent"] for r in runs.rows[name].values())
            marked = " | ".join(f"{share} %" for share in shares)
            lines.append(f"| {name} | {step} | {marked} | {late} | {lost} |")
    return lines


def _share(step: str, key: str) -> Figure:
    def figure(row: Row) -> float | None:
        return float(row[step][key])

    return figure


def tidegate_whole(runs: Runs) -> str:
    whole, recorder = (runs.figure(TIDEGATE, of) for of in (f.tree_us, f.recorder_us))
    if whole is None:
        return ""
    return (
        f"Tidegate's gateway process alone is what its columns show, as it is what stands in a "
        f"request's way. All its processes together, until the last receipt is in the ledger: "
        f"{cell(whole, 3, 0.001)} ms a request, of which recorder and control "
        f"{cell(recorder, 0)} us.\n"
    )


def flat(rows: list[Row]) -> list[str]:
    if len(rows) < 2:
        return ["Not run. `python -m bench memory` does."]
    pieces = rows[1:]
    groups = list(pieces[0]["rss_mb"])
    head = ["requests", "not good", *[f"{group}, MB" for group in groups]]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    shown = pieces if len(pieces) <= 12 else [*pieces[:: max(1, len(pieces) // 10)], pieces[-1]]
    for row in {row["requests"]: row for row in shown}.values():
        sizes = [f"{row['rss_mb'][group]:.1f}" for group in groups]
        lines.append(f"| {row['requests']:,} | {row['bad']} | {' | '.join(sizes)} |")
    half = pieces[len(pieces) // 2 :]
    for group in groups:
        grown = half[-1]["rss_mb"][group] - half[0]["rss_mb"][group]
        requests = half[-1]["requests"] - half[0]["requests"]
        lines.append(f"\n{group}: {grown:+.1f} MB over the last {requests:,} requests.")
    return lines


def scale(rows: list[Row]) -> list[str]:
    """Lines kept by `figures.keep_scale`: {what, unit, points: [[size, value], ...]}."""
    if not rows:
        return ["Not run. `python -m bench routes` and the other `bench/scale_*.py` do."]
    lines = ["| what | smaller | larger | larger / smaller |", "|---|---|---|---|"]
    for row in rows:
        (small, low), (large, high) = row["points"][0], row["points"][-1]
        unit = row["unit"]
        lines.append(
            f"| {row['what']} | {low:,.4g} {unit} at {small:,} | {high:,.4g} {unit} at {large:,} "
            f"| {high / low:.2f} |"
        )
    return lines


def render(results: Path) -> str:
    runs = read_runs(results / "run.jsonl")
    about, scales = runs.machine, read_lines(results / "scale.jsonl")
    template = (Path(__file__).parent / "benchmarks.md.in").read_text()
    bar_lines = ["| figure | measured | bar | aim | met |", "|---|---|---|---|---|"]
    parts = {
        "machine": "\n".join(f"- {name}: {value}" for name, value in about.items()),
        "rounds": str(runs.rounds),
        "bars": "\n".join(bar_lines + [bar.line() for bar in bars(runs)]),
        "limited": "\n".join(bar_lines + [bar.line() for bar in bars(runs, LIMITED)]),
        "limits": "\n".join(bar_lines + [bar.line() for bar in limit_bars(scales)]),
        "side_by_side": "\n".join(side_by_side(runs)),
        "whole": tidegate_whole(runs),
        "notes": "\n".join(
            f"- {_label(runs, name)}: {note}"
            for name, rows in runs.rows.items()
            if (note := next(iter(rows.values()))["note"])
        ),
        "trust": "\n".join(trust(runs)),
        "flat": "\n".join(flat(read_lines(results / "memory.jsonl"))),
        "scale": "\n".join(scale(scales)),
    }
    for name, text in parts.items():
        template = template.replace("{{" + name + "}}", text)
    return template
