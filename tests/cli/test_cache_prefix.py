"""`tidegate cache prefix` and `unstable` in front of a control."""

from collections.abc import Callable

from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.control.shapes_prefixes import PrefixPage, UnstablePage, UnstablePrefix
from tidegate.core.prefix_sums import PrefixSums
from tidegate.prompts.unstable import Unstable

Run = Callable[..., Result]


def test_what_was_cached_says_what_is_not_known(control: FakeControl, run: Run) -> None:
    control.answers["GET /api/prefixes"] = PrefixPage(
        [
            PrefixSums("chat\x1b[2J", "7", "m", 9, 0, 1000, 1000, 750, 10, -1500, 0),
            PrefixSums("talk", "", "n", 9, 4, 1000, 600, 250, 0, 2_000_000_000, 1, 3),
            PrefixSums("mute", "", "n", 2, 2, 50, 0, 0, 0, 0, 0),
        ],
        complete=False,
    )
    shown = run("cache", "prefix", "--route", "chat", "--since", "2h")
    assert shown.exit_code == 0, shown.output
    rows = [line.split() for line in shown.output.splitlines()]
    assert rows[1] == ["chat?[2J", *["7", "m", "9", "1000", "75.0%", "0", "10", "$-0.0000015", "0"]]
    assert rows[2] == ["talk", "-", "n", "9", "1000", ">=", "25.0%", "4", "0", "$2.00", "5"]
    assert rows[3] == ["mute", "-", "n", "2", "50", "-", "2", "0", "-", "2"]
    assert "of 3 more requests" in shown.output and "Only the newest" in shown.output
    assert dict(control.asked[0].url.params) == {"route": "chat", "since_s": "7200.0"}


def test_nothing_answered_is_said(control: FakeControl, run: Run) -> None:
    control.answers["GET /api/prefixes"] = PrefixPage([], complete=True)
    assert "no chat" in run("cache", "prefix").output


def test_where_beginnings_part_and_what_to_switch_on(control: FakeControl, run: Run) -> None:
    found = Unstable(19, 1, 4000, 20, 3000, 2944, "date", "system", 0, hidden_tokens=7)
    same = Unstable(6, 0, 50, 50)
    control.answers["GET /api/prefixes/unstable"] = UnstablePage(
        [
            UnstablePrefix("chat", "7", "m", found, False, 1000, 5_000_000_000),
            UnstablePrefix("talk", "", "", same, True, 0),
        ],
        2,
        ["quiet"],
    )
    shown = run("cache", "unstable")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert "19 of 20" in lines[1] and "date" in lines[1] and "message 1 (system)" in lines[1]
    assert "75%" in lines[1] and "$5.00" in lines[1]
    assert "nothing" in lines[2] and "unknown" in lines[2]
    assert "after 7 tokens" in shown.output and "estimated" in shown.output
    assert "2 more" in shown.output and "capture: 0.05" in shown.output and "quiet" in shown.output
