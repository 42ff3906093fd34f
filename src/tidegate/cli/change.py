"""`tidegate change`: which levers are held, by whom and until when."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, Moment, about, moment, table
from tidegate.control.shapes_changes import ChangeList, ChangeMade, ChangeView, NewChange
from tidegate.core.declared_control import MOST_APPROVALS
from tidegate.core.levers import EVERY, LEVERS
from tidegate.core.signal import NoData
from tidegate.core.units import format_duration

_HEAD = ("CHANGE", "LEVER", "OF", "AT", "STATE", "FOR", "BY", "WHY")
_LEVERS_HEAD = ("LEVER", "KIND", "OF", "UNIT", "FROM", "TO", "IS")


_AT = click.option(
    "--at", "at_s", type=Moment(), help="When it begins, such as 2026-03-01T12:00Z; else now."
)


@click.group(name="change")
def plug() -> None:
    """Show and set changes: levers that are held for a while.

    A change ends by itself, on every gateway. A clamp may be held by any number, and the safest
    value counts; a dial has one holder. `tidegate change levers` lists them all.
    """


@plug.command(name="list")
@click.option("--ended", is_flag=True, help="Also those that are over, the newest first.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many."
)
@control_options
def list_(state: Path | None, control: str | None, ended: bool, limit: int) -> None:
    """List what holds a lever now, waits for approval or is to begin later; the newest first."""
    told = open_control(state, control).get(
        "/api/changes", ChangeList, ended=str(ended).lower(), limit=limit
    )
    if not told.changes:
        click.echo("No change is in force or to come: requests obey the plan as it is.")
        return
    click.echo(table(_HEAD, [_row(one) for one in told.changes]))


@plug.command()
@click.argument("change_id", metavar="CHANGE")
@control_options
def show(state: Path | None, control: str | None, change_id: str) -> None:
    """Show one change with its evidence, and what became of it."""
    one = open_control(state, control).get(f"/api/changes/{_id(change_id)}", ChangeView)
    lever = LEVERS.get(one.lever)
    unit = "" if lever is None else f" {lever.unit}"
    lines = [
        ("lever", f"{one.lever} of {_of(one)} at {one.value:g}{unit}"),
        ("state", f"{one.state}, {_lasts(one)} left" if one.remaining_s else one.state),
        ("by", _plain(one.author)),
        ("why", _plain(one.reason)),
        ("from", moment(one.from_s)),
        ("until", _until(one)),
    ]
    if one.approvals:
        said = ", ".join(_plain(name) for name in one.approved_by) or "nobody yet"
        lines.append(("approved", f"by {said}; {one.approvals} wanted"))
    if one.ended_at_s is not None:
        lines.append(("ended", f"{moment(one.ended_at_s)} by {_plain(one.ended_by or '-')}"))
        lines.append(("", f"{one.ended_why}"))
    width = max(len(name) for name, _ in lines)
    click.echo("\n".join(f"{name.ljust(width)}  {text}" for name, text in lines))
    if one.evidence:
        click.echo()
        seen = [
            (
                *(signal.name, _plain(signal.scope), f"{signal.window_s:g} s"),
                signal.reading.why
                if isinstance(signal.reading, NoData)
                else f"{signal.reading.value:g} {signal.unit}",
            )
            for signal in one.evidence
        ]
        click.echo(table(("SIGNAL", "OF", "OVER", "VALUE"), seen))


@plug.command(name="set")
@click.argument("lever")
@click.argument("scope", required=False, default="")
@click.option("--to", "value", type=float, default=1.0, help="The value; of a flag it is 1.")
@click.option("--for", "lasts_s", type=Duration(), required=True, help="How long, such as 30m.")
@_AT
@click.option("--reason", required=True, help="Why.")
@click.option(
    "--approvals",
    type=click.IntRange(0, MOST_APPROVALS),
    default=0,
    help="So many others first; the plan file may want more.",
)
@click.option("--anyway", is_flag=True, help="Also where it leaves a route with no target.")
@control_options
def set_(state: Path | None, control: str | None, **given: object) -> None:
    """Hold LEVER of SCOPE: a route, a target, or ROUTE/TARGET; `*` is every one.

    For example: tidegate change set target_off small --for 30m --reason "it answers nonsense"
    """
    at_s = given["at_s"]
    asked = NewChange(
        lever=str(given["lever"]),
        value=float(str(given["value"])),
        for_s=float(str(given["lasts_s"])),
        reason=str(given["reason"]),
        scope=str(given["scope"]),
        at_s=None if at_s is None else float(str(at_s)),
        approvals=int(str(given["approvals"])),
        anyway=bool(given["anyway"]),
    )
    _tell(open_control(state, control).post("/api/changes", ChangeMade, asked), "Set")


@plug.command()
@click.argument("route", required=False, default=EVERY)
@click.option("--for", "lasts_s", type=Duration(), required=True, help="How long, such as 3d.")
@_AT
@click.option("--reason", required=True, help="Why.")
@control_options
def freeze(state: Path | None, control: str | None, route: str, **given: object) -> None:
    """Let no release of ROUTE move on, or none at all; a rollback is never held back."""
    at_s = given["at_s"]
    asked = NewChange(
        lever="frozen",
        value=1.0,
        for_s=float(str(given["lasts_s"])),
        reason=str(given["reason"]),
        scope=route,
        at_s=None if at_s is None else float(str(at_s)),
    )
    _tell(open_control(state, control).post("/api/changes", ChangeMade, asked), "Set")


@plug.command()
@click.argument("change_id", metavar="CHANGE")
@control_options
def end(state: Path | None, control: str | None, change_id: str) -> None:
    """End CHANGE now: what it held is as the plan has it. One that is to come never begins."""
    path = f"/api/changes/{_id(change_id)}/end"
    _tell(open_control(state, control).post(path, ChangeMade), "Ended")


@plug.command()
@click.argument("change_id", metavar="CHANGE")
@control_options
def approve(state: Path | None, control: str | None, change_id: str) -> None:
    """Say yes to CHANGE, which somebody else has proposed."""
    path = f"/api/changes/{_id(change_id)}/approve"
    _tell(open_control(state, control).post(path, ChangeMade), "Approved")


@plug.command()
def levers() -> None:
    """List every lever there is."""
    rows = [
        (
            *(one.name, one.kind, one.scope, one.unit),
            *(f"{one.least:g}", f"{one.most:g}", one.meaning),
        )
        for one in LEVERS.values()
    ]
    click.echo(table(_LEVERS_HEAD, rows))


def _row(one: ChangeView) -> tuple[str, ...]:
    return (
        *(one.id, one.lever, _of(one), f"{one.value:g}", one.state, _lasts(one)),
        *(_plain(one.author), _plain(one.reason)),
    )


def _of(one: ChangeView) -> str:
    return _plain(one.scope) or "everything"


def _lasts(one: ChangeView) -> str:
    if one.state == "scheduled" and one.until_s is not None:
        return f"{format_duration(round(one.until_s - one.from_s))} from {moment(one.from_s)}"
    return about(one.remaining_s) if one.remaining_s >= 1 else "-"


def _until(one: ChangeView) -> str:
    if one.until_s is not None:
        return moment(one.until_s)
    return f"{one.lease_s:g} s after the loop has renewed it last"


def _plain(text: str) -> str:
    # Reasons and names are what somebody wrote: nothing in them may steer the terminal.
    return "".join(c if c.isprintable() else "?" for c in text)


def _id(change_id: str) -> str:
    if not change_id.replace("-", "").isalnum():
        raise click.BadParameter("a change is called by its id, as `tidegate change list` shows it")
    return change_id


def _tell(made: ChangeMade, done: str) -> None:
    one = made.change
    done = "Scheduled" if one.state == "scheduled" and done == "Set" else done
    click.echo(f"{done} {one.lever} of {_of(one)} at {one.value:g}: change {one.id}, {one.state}.")
    if one.state == "scheduled":
        click.echo(f"It holds from {moment(one.from_s)} until {_until(one)}.")
    if one.state == "waiting":
        wanted = one.approvals - len(one.approved_by)
        click.echo(f"It holds once {wanted} more say yes: tidegate change approve {one.id}")
    if made.waiting_for:
        names = ", ".join(made.waiting_for)
        click.echo(f"Not yet obeyed by {names}; control keeps telling it.", err=True)
