"""`tidegate cache worth`: whether each tier of each route's cache pays."""

from pathlib import Path

import click
import msgspec

from tidegate.cli._cache_prefix import shown
from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, table
from tidegate.control.shapes_cache_worth import NetView, TierWorth, WorthPage

_HEAD = (
    *("ROUTE", "TIER", "LOOKED FOR", "HITS", "A HIT", "A MISS", "SAVED", "NET MONEY", "NET TIME"),
    *("BAD HITS", "ADVICE"),
)


@click.command()
@click.option("--route", help="Only this route's.")
@click.option("--since", type=Duration(), default="1d", show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@control_options
def worth(
    state: Path | None, control: str | None, route: str | None, since: float, as_json: bool
) -> None:
    """Show whether kept answers and prefix caches pay, a line for each tier of each route.

    A HIT is the median time from a hit's arrival to its end, A MISS what a miss waited for the
    tier. SAVED is what hits would have cost; NET is less what lookups cost, with the bounds that it
    is surely between. BAD HITS are those that calibrated judges found bad. `-` is not known.
    """
    page = open_control(state, control).get(
        "/api/cache/worth", WorthPage, route=route, since_s=since
    )
    if as_json:
        click.echo(msgspec.json.encode(page).decode())
        return
    if page.unknown is not None:
        click.echo(f"the plan has no {page.unknown}", err=True)
    if not page.tiers:
        click.echo("nothing was looked for in any cache in this time")
        return
    click.echo(table(_HEAD, [_row(it) for it in page.tiers]))
    if not page.complete:
        click.echo("\nOf prefix caches only the newest requests of this window were read.")


def _row(it: TierWorth) -> tuple[str, ...]:
    return (
        shown(it.route),
        it.tier,
        str(it.lookups),
        "-" if it.hit_rate is None else f"{it.hit_rate:.1%}",
        _ms(it.hit_p50_s),
        _ms(it.miss_p50_s),
        "-" if it.saved_usd is None else _usd(it.saved_usd),
        _between(it.money, _usd),
        _between(it.seconds, _seconds),
        _bad(it),
        _advice(it),
    )


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.3g} ms"


def _usd(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):.3g}"


def _seconds(value: float) -> str:
    return f"{value:.3g} s"


def _between(net: NetView | None, written: object) -> str:
    if net is None or not callable(written):
        return "-"
    if net.low == net.high:
        return str(written(net.value))
    return f"{written(net.value)} ({written(net.low)} to {written(net.high)})"


def _bad(it: TierWorth) -> str:
    found = it.quality
    if found is None or not found.judged:
        return "-"
    share = f"{found.bad / found.judged:.1%} of {found.judged:.0f}"
    return f"{share} ({found.low:.1%} to {found.high:.1%})"


def _advice(it: TierWorth) -> str:
    said: str = it.advice
    if it.more is not None:
        said = f"{said}: {it.more} more lookups"
    if it.floor is not None:
        said = f"{said}: threshold {it.floor:g}"
    return said if it.state in (None, "on") else f"{said}; {it.state}"
