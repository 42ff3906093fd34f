"""`tidegate cache worth` in front of a control."""

from collections.abc import Callable

import msgspec
from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.control.shapes_cache_worth import HitsJudged, NetView, TierWorth, WorthPage

Run = Callable[..., Result]
EXACT = TierWorth(
    "faq\x1b[2J",
    "exact",
    7200,
    360,
    "does not pay",
    hit_rate=0.05,
    hit_p50_s=0.0012,
    miss_p50_s=0.013,
    saved_usd=0.25,
    money=NetView(-0.5, -0.75, -0.25),
    seconds=NetView(-31.0, -40.0, -20.0),
    quality=HitsJudged(50, 5, 0.02, 0.3, 100, 1),
    state="off",
)
EARLY = TierWorth("chat", "semantic", 90, 0, "too early", hit_rate=0.0, more=410)
PREFIX = TierWorth(
    "chat", "prefix", 9, 0, "pays", 0.75, saved_usd=2.0, money=NetView(2.0, 2.0, 2.0)
)


def test_a_line_a_tier_says_what_is_not_known(control: FakeControl, run: Run) -> None:
    control.answers["GET /api/cache/worth"] = WorthPage([EXACT, EARLY, PREFIX], complete=False)
    shown = run("cache", "worth", "--route", "faq", "--since", "2h")
    assert shown.exit_code == 0, shown.output
    exact, early, prefix = shown.output.splitlines()[1:4]
    assert "faq?[2J" in exact and "5.0%" in exact and "1.2 ms" in exact and "13 ms" in exact
    assert "-$0.5 (-$0.75 to -$0.25)" in exact and "-31 s (-40 s to -20 s)" in exact
    assert "10.0% of 50 (2.0% to 30.0%)" in exact and exact.endswith("does not pay; off")
    assert early.endswith("too early: 410 more lookups") and " - " in early
    assert "$2 " in prefix and "75.0%" in prefix
    assert "Only" not in exact and "only the newest" in shown.output
    assert dict(control.asked[0].url.params) == {"route": "faq", "since_s": "7200.0"}


def test_as_json_it_is_the_page(control: FakeControl, run: Run) -> None:
    page = WorthPage([EXACT])
    control.answers["GET /api/cache/worth"] = page
    shown = run("cache", "worth", "--json")
    assert msgspec.json.decode(shown.output, type=WorthPage) == page


def test_nothing_looked_for_is_said(control: FakeControl, run: Run) -> None:
    control.answers["GET /api/cache/worth"] = WorthPage([])
    assert "nothing was looked for" in run("cache", "worth").output


def test_a_route_that_the_plan_has_not_is_said(control: FakeControl, run: Run) -> None:
    control.answers["GET /api/cache/worth"] = WorthPage([], unknown='route "nope"')
    shown = run("cache", "worth", "--route", "nope")
    assert shown.exit_code == 0 and 'the plan has no route "nope"' in shown.stderr
