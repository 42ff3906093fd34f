"""`tidegate signal`: what is known of requests and engines over time."""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from tidegate.cli._client import Control, control_options, open_control
from tidegate.cli._words import Duration, moment, table
from tidegate.control.shapes_signals import SeriesList, SignalList, TopList
from tidegate.core.series import Series
from tidegate.core.units import format_usd

_BARS: Final = "▁▂▃▄▅▆▇█"
_CELLS: Final = 48
_UNKNOWN: Final = "·"
_ABSENT: Final = "-"
_EVERY_S: Final = 10.0
_WATCHED_S: Final = 600.0
_USUAL: Final = ("request_rate", "availability", "ttft_p95_s", "total_time_p95_s", "cost_usd_per_h")
_DIMENSIONS: Final = ("route", "arm", "release", "target", "replica")


@click.group(name="signal")
def plug() -> None:
    """See what requests and engines were like over time."""


@plug.command()
@control_options
def ls(state: Path | None, control: str | None) -> None:
    """List every signal, its unit and what it says."""
    found = open_control(state, control).get("/api/signals", SignalList)
    rows = [(it.name, it.unit, it.of, it.meaning) for it in found.signals]
    click.echo(table(("SIGNAL", "UNIT", "OF", "MEANING"), rows))
    click.echo(f"\nnewest minute of requests: {moment(found.newest_minute_s, 'none yet')}")


@plug.command()
@click.argument("names", nargs=-1, metavar="[SIGNAL]...")
@click.option(
    "--since", "since_s", type=Duration(), default="1h", show_default=True, help="How far back."
)
@click.option("--route", help="Only this route's.")
@click.option("--arm", type=click.Choice(("stable", "canary", "shadow")), help="Only this arm's.")
@click.option("--release", help="Only this release's.")
@click.option("--target", help="Only this target's.")
@click.option("--replica", help="Only this replica's; engines' signals alone know of replicas.")
@click.option(
    "--apart",
    default="",
    metavar="DIMENSIONS",
    help=f"Tell apart by these, with commas: {', '.join(_DIMENSIONS)}.",
)
@click.option("--points", is_flag=True, help="Every point on a line of its own.")
@control_options
def show(
    state: Path | None,
    control: str | None,
    names: tuple[str, ...],
    points: bool,
    **which: float | str | None,
) -> None:
    """Show signals over a window: each a line, with its newest, least and greatest value.

    A cell of the picture is the greatest value of its part of the window, and a dot where nothing
    is known, which is not 0.
    """
    asked = ",".join(names or _USUAL)
    client = open_control(state, control)
    found = client.get("/api/signals/series", SeriesList, names=asked, **which)
    if not found.series:
        click.echo("nothing is known of them in this window")
    elif points:
        for one in found.series:
            click.echo(f"{_title(one)}, steps of {one.step_s:g} s")
            for at_s, value in one.points:
                click.echo(f"  {moment(at_s)}  {_figure(value)}")
    else:
        head = ("SIGNAL", "OF", "NEWEST", "LEAST", "GREATEST", "UNIT", "")
        click.echo(table(head, [_row(one) for one in found.series]))


@plug.command()
@click.argument("names", nargs=-1, metavar="[SIGNAL]...")
@click.option("--route", help="Only this route's.")
@click.option("--target", help="Only this target's.")
@click.option("--apart", default="", metavar="DIMENSIONS", help="As with `show`.")
@click.option("--looks", type=click.IntRange(min=1), help="End after so many. Default: Ctrl-C.")
@control_options
def watch(
    state: Path | None,
    control: str | None,
    names: tuple[str, ...],
    looks: int | None,
    **which: str | None,
) -> None:
    """Show the newest value of signals every ten seconds.

    It is of the minute that has begun, which is not over yet, or of the one before.
    """
    asked = ",".join(names or _USUAL)
    client = open_control(state, control)
    for look in itertools.count(1):
        _show_newest(client, asked, which)
        if look == looks:
            return
        time.sleep(_EVERY_S)


@plug.command()
@click.option(
    "--by",
    type=click.Choice(("team", "customer", "key", "error")),
    default="team",
    show_default=True,
)
@click.option(
    "--since", "since_s", type=Duration(), default="1h", show_default=True, help="How far back."
)
@click.option("--route", help="Only this route's.")
@click.option("--target", help="Only this target's.")
@click.option("-n", "--lines", "limit", type=click.IntRange(1, 100), default=20, show_default=True)
@control_options
def top(
    state: Path | None,
    control: str | None,
    by: str,
    **which: float | str | None,
) -> None:
    """Show whose requests a window was made of, or by which errors they ended."""
    client = open_control(state, control)
    found = client.get("/api/signals/top", TopList, by=by, **which)
    rows = [
        (
            _plain(it.name),
            str(it.requests),
            str(it.failed),
            _ABSENT if by == "error" else f"${format_usd(it.cost_nanousd)}",
        )
        for it in found.shares
    ]
    click.echo(f"since {moment(found.since_s)}")
    click.echo(table((by.upper(), "REQUESTS", "FAILED", "KNOWN COST"), rows))


def _show_newest(client: Control, names: str, which: dict[str, str | None]) -> None:
    found = client.get("/api/signals/series", SeriesList, names=names, since_s=_WATCHED_S, **which)
    if not found.series:
        click.echo("nothing is known of them in the last ten minutes")
    for one in found.series:
        known = [(at_s, value) for at_s, value in one.points if value is not None]
        at_s, value = known[-1] if known else (None, None)
        click.echo(f"{moment(at_s)}  {_title(one)}  {_figure(value)} {one.unit}")


def _row(one: Series) -> tuple[str, ...]:
    values = [value for _, value in one.points]
    known = [value for value in values if value is not None]
    least, greatest = (min(known), max(known)) if known else (None, None)
    newest = known[-1] if known else None
    figures = (_figure(value) for value in (newest, least, greatest))
    return (one.name, _plain(one.scope) or "everything", *figures, one.unit, picture(values))


def picture(values: Sequence[float | None], cells: int = _CELLS) -> str:
    """Bars from 0 to the greatest value."""
    width = -(-len(values) // cells) or 1
    parts = [values[at : at + width] for at in range(0, len(values), width)]
    heights = [max((it for it in part if it is not None), default=None) for part in parts]
    most = max((it for it in heights if it is not None), default=0.0)
    return "".join(_bar(height, most) for height in heights)


def _bar(height: float | None, most: float) -> str:
    if height is None:
        return _UNKNOWN
    share = height / most if most > 0 else 0.0
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]


def _title(one: Series) -> str:
    return f"{one.name} {_plain(one.scope)}" if one.scope else one.name


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _figure(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.4g}"
