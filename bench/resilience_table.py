"""The page of the bench of resilience, from the JSON that `resilience.run` keeps."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Any, Final

from bench import faults, install, resilience
from bench.resilience_peers import LITELLM, NAMES, PRICE, SDK, TIDEGATE

SUCCESS_SLACK: Final = 1.5
ADDED_SLACK_MS: Final = 10.0
WASTED_SLACK_CENTS: Final = 2.0
CALLED: Final = {TIDEGATE: "Tidegate", LITELLM: "LiteLLM", SDK: "the bare SDK"}
TEMPLATE: Final = install.HERE / "resilience.md.in"
NOT_RUN: Final = "not run"


@dataclass(frozen=True)
class Figures:
    """One of the compared in one case. Shares are in a hundred; None: there is nothing to time."""

    whole: float
    told: float
    untold: float
    added_mean_ms: float | None
    added_p50_ms: float | None
    added_p95_ms: float | None
    failed_after_s: float | None
    upstream: float
    wasted_cents: float

    def cells(self) -> list[str]:
        shares = [f"{share:.1f} %" for share in (self.whole, self.told, self.untold)]
        added = (self.added_mean_ms, self.added_p50_ms, self.added_p95_ms)
        times = [_shown(added_ms, "z.0f") for added_ms in added]
        rest = [f"{self.upstream:.2f}", f"${self.wasted_cents / 100:.3f}"]
        return [*shares, *times, _shown(self.failed_after_s, ".1f"), *rest]


Table = Mapping[tuple[str, str], Figures]


def _shown(figure: float | None, how: str) -> str:
    return "" if figure is None else format(figure, how)


def figures_of(row: dict[str, Any], usual_s: tuple[float, float]) -> Figures:
    """`usual_s` is how long a stream and a whole answer take where nothing is wrong."""
    count = row["requests"]
    added_s = [took_s - usual_s[0] for took_s in row["stream_s"]]
    added_s += [took_s - usual_s[1] for took_s in row["whole_s"]]
    wasted = row["wasted"]
    nanousd = wasted["input_tokens"] * PRICE["input_usd_per_mtok"] * 1e3
    nanousd += wasted["output_tokens"] * PRICE["output_usd_per_mtok"] * 1e3
    return Figures(
        *(100 * row["became"][word] / count for word in ("good", "told", "untold")),
        added_mean_ms=1e3 * fmean(added_s) if added_s else None,
        added_p50_ms=1e3 * median(added_s) if added_s else None,
        added_p95_ms=1e3 * _p95(added_s) if added_s else None,
        failed_after_s=median(row["failed_s"]) if row["failed_s"] else None,
        upstream=row["bill"]["requests"] / count,
        wasted_cents=nanousd / 1e7 * 1000 / count,
    )


def _p95(times_s: list[float]) -> float:
    return quantiles(times_s, n=20)[-1] if len(times_s) > 1 else times_s[0]


def read(kept: Path) -> tuple[dict[str, Any], Table]:
    told = json.loads(kept.read_text())
    rows = {(row["case"], row["system"]): row for row in told["rows"]}
    usual = rows["healthy", SDK]
    usual_s = median(usual["stream_s"]), median(usual["whole_s"])
    return told, {where: figures_of(row, usual_s) for where, row in rows.items()}


def worse(table: Table, case: str) -> list[str]:
    """In what Tidegate is behind another there, in words; nothing where it is best or equal."""
    ours, behind = table[case, TIDEGATE], []
    for name in NAMES:
        other = table.get((case, name))
        if name == TIDEGATE or other is None:
            continue
        who = CALLED[name]
        if other.whole > ours.whole + SUCCESS_SLACK:
            behind.append(f"{who} has {other.whole - ours.whole:.1f} % more whole answers")
        if other.untold < ours.untold - SUCCESS_SLACK:
            behind.append(f"{who} leaves fewer untold")
        if other.whole < ours.whole - SUCCESS_SLACK:
            continue
        if _later(ours.added_mean_ms, other.added_mean_ms):
            adds = f"{other.added_mean_ms:.0f} ms, Tidegate {ours.added_mean_ms:.0f}"
            behind.append(f"{who} adds {adds}")
        if ours.wasted_cents > other.wasted_cents + WASTED_SLACK_CENTS:
            behind.append(f"{who} wastes less")
    return behind


def _later(ours_ms: float | None, other_ms: float | None) -> bool:
    return ours_ms is not None and other_ms is not None and ours_ms > other_ms + ADDED_SLACK_MS


def _name(name: str) -> str:
    return CALLED[name].removeprefix("the ")


def _rows(table: Table) -> Iterator[str]:
    yield (
        "| case | who | whole | told | not told | added mean, ms | p50 | p95 "
        "| failed after, s | upstream | wasted |"
    )
    yield "|" + "---|" * 11
    for case in faults.CASES:
        for name in NAMES:
            found = table.get((case.name, name))
            cells = [NOT_RUN] + [""] * 8 if found is None else found.cells()
            yield f"| {case.title} | {_name(name)} | {' | '.join(cells)} |"


def _verdicts(table: Table) -> Iterator[str]:
    yield "| case | |"
    yield "|---|---|"
    for case in faults.CASES:
        if case.share and (case.name, TIDEGATE) in table:
            behind = worse(table, case.name)
            yield f"| {case.title} | {'yes' if not behind else '**no**: ' + '; '.join(behind)} |"


def render(kept: Path) -> str:
    told, table = read(kept)
    about, versions, busy = told["machine"], told["versions"], told["busy"]
    named = ", ".join(f"{_name(name)} {versions.get(name, NOT_RUN)}" for name in NAMES)
    load = f"load average {min(busy):.1f} to {max(busy):.1f}"
    values: dict[str, object] = {
        "about": f"{about['date']}: {named}. {about['machine']}, Python {about['python']}; {load}.",
        "table": "\n".join(_rows(table)),
        "verdicts": "\n".join(_verdicts(table)),
        "input_usd": PRICE["input_usd_per_mtok"],
        "output_usd": PRICE["output_usd_per_mtok"],
        "success_slack": f"{SUCCESS_SLACK:g}",
        "added_slack": f"{ADDED_SLACK_MS:g}",
        "wasted_slack": f"{WASTED_SLACK_CENTS:g}",
        "requests": resilience.REQUESTS,
        "rate": f"{resilience.RATE_PER_S:g}",
        "tokens": faults.TOKENS,
        "first_ms": f"{1e3 * faults.FIRST_S:g}",
        "gap_ms": f"{1e3 * faults.GAP_S:g}",
        "connect_s": f"{faults.CONNECT_S:g}",
        "first_s": f"{faults.FIRST_TOKEN_S:g}",
        "silence_s": f"{faults.SILENCE_S:g}",
        "whole_s": f"{faults.WHOLE_S:g}",
    }
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", str(value))
    return text
