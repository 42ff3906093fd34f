"""`tidegate notice`: what people were told, and what they are not told for a while."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, moment, table
from tidegate.control.shapes_notices import (
    MAX_SILENCE_S,
    NewSilence,
    NoticeList,
    NoticeView,
    SilenceList,
    TriedWays,
    TryWays,
    WayView,
)
from tidegate.core.notice import SEVERITIES
from tidegate.stores.silences import Matchers, Silence

_HEAD = ("AT", "SEVERITY", "TOPIC", "STATE", "TOLD", "TITLE", "KEY")
_ENDED = {"delivered": "told", "dead": "NOT TOLD", "unknown": "perhaps told"}


@click.group(name="notice")
def plug() -> None:
    """List notices, silence some of them, and try the ways by which people are told.

    The ways are declared below `control.notifications` of the plan file.
    """


@plug.command(name="list")
@click.option("--open", "only_open", is_flag=True, help="Only what still holds.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many."
)
@click.option("--before", help="Only notices older than the one of this id.")
@control_options
def list_(state: Path | None, control: str | None, **given: object) -> None:
    """List notices, the newest first, with what became of each on its ways, and the silences.

    Where a way could not be told, or perhaps was, the reason stands below the list.
    """
    asked = {"open": "true" if given["only_open"] else None}
    asked |= {"limit": str(given["limit"]), "before": _text(given["before"])}
    opened = open_control(state, control)
    found = opened.get("/api/notices", NoticeList, **asked)
    click.echo(table(_HEAD, [_row(one) for one in found.notices]))
    for line in dict.fromkeys(_complaint(way) for one in found.notices for way in one.ways):
        if line is not None:
            click.echo(line)
    if found.before is not None:
        click.echo(f"More: --before {found.before}")
    held = opened.get("/api/notices/silences", SilenceList).silences
    if held:
        rows = [_silence(one) for one in held]
        click.echo("\n" + table(("SILENCE", "UNTIL", "WHAT", "BY", "WHY"), rows))


@plug.command()
@click.option("--topic", help="What it is about: budget, burn, absence, release, change, loop.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="How grave it is.")
@click.option("--route", help="Which route it is of.")
@click.option("--key", help="Its key, as `tidegate notice list` shows it; `*` is anything.")
@click.option("--for", "lasts_s", type=Duration(), required=True, help="How long, such as 2h.")
@click.option("--reason", required=True, help="Why.")
@control_options
def silence(state: Path | None, control: str | None, **given: object) -> None:
    """Tell nobody of what matches all that is said, for a while. It is listed all the same.

    What still holds when the silence is over is told then.
    """
    lasts_s = given["lasts_s"]
    assert isinstance(lasts_s, float)  # noqa: S101
    if lasts_s > MAX_SILENCE_S:
        raise click.BadParameter("a silence lasts 31d at most", param_hint="--for")
    what = {name: _text(given[name]) for name in ("topic", "severity", "route", "key")}
    if not any(what.values()):
        raise click.UsageError("say what to silence; --key '*' is everything")
    matchers = Matchers(**what)  # type: ignore[arg-type]  # control checks every field
    asked = NewSilence(matchers, lasts_s, str(given["reason"]))
    made = open_control(state, control).post("/api/notices/silences", Silence, asked)
    click.echo(f"Silenced {_what(made)} until {moment(made.until_s)}: {made.id}")


@plug.command()
@click.argument("silence_id", metavar="ID")
@control_options
def unsilence(state: Path | None, control: str | None, silence_id: str) -> None:
    """End the silence ID before its time."""
    if not silence_id.replace("-", "").isalnum():
        raise click.BadParameter("a silence's id is in `tidegate notice list`")
    open_control(state, control).post(f"/api/notices/silences/{silence_id}/end", SilenceList)
    click.echo(f"Ended {silence_id}.")


@plug.command()
@click.option("--way", help="Only this one. Default: every way of the plan.")
@control_options
def test(state: Path | None, control: str | None, way: str | None) -> None:
    """Send a test notice, and its end, by each way now; says which ways took it."""
    asked = TryWays(way)
    tested = open_control(state, control).post("/api/notices/test", TriedWays, asked).ways
    for one in tested:
        said = "took it" if one.error is None else f"did NOT take it: {_plain(one.error)}"
        click.echo(f"{one.way} {said}" + (f" ({_plain(one.remark)})" if one.remark else ""))
    if any(one.error is not None for one in tested):
        raise SystemExit(1)


def _row(view: NoticeView) -> tuple[str, ...]:
    notice = view.notice
    holds = "open" if notice.resolved_at_s is None else f"over {moment(notice.resolved_at_s)}"
    told = ", ".join(f"{one.way}: {_ENDED.get(one.state, one.state)}" for one in view.ways)
    if view.silenced_by is not None:
        told = "silenced"
    about = f"{notice.topic} {notice.route}" if notice.route else notice.topic
    first = moment(notice.at_s), notice.severity, _plain(about), holds
    return *first, told or "nobody", _plain(notice.title), _plain(notice.key)


def _complaint(way: WayView) -> str | None:
    if way.error is None:
        return None
    return f"{way.way}, message {way.message}, {way.tries} tries: {_plain(way.error)}"


def _silence(one: Silence) -> tuple[str, ...]:
    return one.id, moment(one.until_s), _what(one), _plain(one.author), _plain(one.reason)


def _what(one: Silence) -> str:
    said = {name: getattr(one.matchers, name) for name in Matchers.__struct_fields__}
    return _plain(", ".join(f"{name} {value}" for name, value in said.items() if value))


def _text(given: object) -> str | None:
    return None if given is None else str(given)


def _plain(text: str) -> str:
    # What callers chose is in titles and keys: nothing in it may steer the terminal.
    return "".join(c if c.isprintable() else "?" for c in text)
