"""docs/objectives.md: its plan compiles, and its tables are those of the code."""

import re
from pathlib import Path

from tidegate.config.load import compile_file
from tidegate.control.api_slo import ROWS
from tidegate.core.objective import INDICATORS, PRESETS
from tidegate.core.units import format_duration
from tidegate.stats import burn

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "objectives.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without the lines of its head."""
    lines = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_plan_on_the_page_compiles() -> None:
    [plan] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found = compile_file(plan.encode(), {}, 1, 1000.0)
    assert found.problems == ()


def test_the_presets_on_the_page_are_those_that_there_are() -> None:
    found = {cells[0]: cells[1:] for cells in rows("Presets")}
    assert set(found) == set(INDICATORS)
    for sli, cells in found.items():
        for preset, cell in zip(PRESETS, cells, strict=True):
            percent, within_s = PRESETS[preset].get(sli, (None, None))  # type: ignore[call-overload]
            told = "-" if percent is None else f"{percent:g} %"
            assert cell == told + ("" if within_s is None else f" in {format_duration(within_s)}")


def test_the_alerts_on_the_page_are_those_that_fire() -> None:
    tiers = burn.tiers(30 * burn.DAY_S)
    for cells, tier in zip(rows("Alerts")[:4], tiers, strict=True):
        factor = burn.written_factor(tier, 30 * burn.DAY_S)
        assert (cells[0], cells[1]) == (tier.name, f"{100 * tier.share:g} %")
        assert (cells[3], cells[4]) == (f"{factor:g}", tier.severity)


def test_every_objective_says_what_counts() -> None:
    counted = {cells[0] for cells in rows("What counts as good, bad, or not at all")}
    assert counted == set(INDICATORS)


def test_the_paths_on_the_page_are_answered() -> None:
    told = {cells[0].split("?")[0] for cells in rows("Over the API")}
    assert told == {f"{row.method} {row.path}" for row in ROWS}
