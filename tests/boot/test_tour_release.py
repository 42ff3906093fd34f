"""The demo's release: when it holds, how it is told, and that its file is a release."""

from pathlib import Path

from msgspec.structs import replace

from tidegate.boot import tour
from tidegate.boot.tour_release import PART, Outcome, line, tell
from tidegate.config.load import compile_file
from tidegate.control.shapes_releases import LineView

GOOD = Outcome("rolled_back", "output_tokens is worse: 2.46 times", 149, 0)


def test_it_holds_only_when_it_was_caught_and_nobody_got_it_since() -> None:
    assert GOOD.holds
    assert not replace(GOOD, state="done").holds
    assert not replace(GOOD, reason="operator asked for it").holds
    assert not replace(GOOD, after_on_it=1).holds
    assert not replace(GOOD, after=0).holds


def test_it_is_told() -> None:
    told: list[str] = []
    tell(GOOD, told.append)
    assert told == [
        "   It is rolled back: output_tokens is worse: 2.46 times.",
        "   Of 149 requests since then 0 went to it.",
    ]
    assert line(LineView(12.5, "step", 0, "every gate is open"), 10.0) == (
        "      2.5 s  step  every gate is open"
    )


def test_its_files_compile_beside_the_plan(tmp_path: Path) -> None:
    budgets = "\n".join(f"  {part.budget}" for part in tour.PARTS if part.budget)
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(tour._PLAN.format(port=1, budgets=budgets))
    for name, text in PART.files:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert [str(one) for one in compile_file(plan, {}, 1, 1_795_000_000.0).problems] == []
