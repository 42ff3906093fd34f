"""`tidegate loop`: what the control loop does, and its decisions made again."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import moment, table
from tidegate.control.shapes_releases import LoopStatus, Replayed, ReplayList

_WORDS = {True: "same", False: "DIFFERENT", None: "not replayed"}


@click.group(name="loop")
def plug() -> None:
    """See what the control loop does and why."""


@plug.command()
@control_options
def status(state: Path | None, control: str | None) -> None:
    """Show the newest tick, and what each controller holds or wants.

    With `dry_run: true` in the plan's `control.loop` it shows what would be done; nothing is.
    """
    found = open_control(state, control).get("/api/loop", LoopStatus)
    who = "leads" if found.leads else "stands by"
    if found.dry_run:
        who = "runs dry: it does nothing of what it shows"
    click.echo(f"This control {who}. Leadership {found.epoch or '-'}.")
    click.echo(
        f"Last tick {moment(found.at_s, 'never')}, took {1000 * found.took_s:.0f} ms; every "
        f"{found.tick_s:g} s, leases of {found.lease_s:g} s; at work for {found.active_s:.0f} s."
    )
    if found.problem:
        click.echo(f"It came to nothing: {found.problem}", err=True)
    rows = [
        (one.controller, _plain(one.subject), _plain(it.what), _plain(it.why))
        for one in found.subjects
        for it in one.proposals
    ]
    if rows:
        click.echo()
        click.echo(table(("CONTROLLER", "SUBJECT", "WANTS", "BECAUSE"), rows))


@plug.command()
@click.argument("subject", required=False)
@click.option("--decision", "seq", type=int, help="Only this one, by its number.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="How many. Default 20.")
@control_options
def replay(
    state: Path | None, control: str | None, subject: str | None, seq: int | None, limit: int
) -> None:
    """Make the newest decisions again from what is stored, of SUBJECT (a release's id, a route) or
    of all, and compare what they come to. Ends with status 1 where one differs."""
    found = open_control(state, control).get(
        "/api/loop/replay", ReplayList, subject=subject, seq=seq, limit=limit
    )
    rows = [_row(one) for one in found.decisions]
    click.echo(table(("DECISION", "AT", "CONTROLLER", "SUBJECT", "REPLAYED", "CAME TO"), rows))
    if any(one.same is False for one in found.decisions):
        raise click.exceptions.Exit(1)


def _row(one: Replayed) -> tuple[str, ...]:
    came_to = "; ".join(it.what for it in one.proposals) or "nothing"
    if one.why:
        came_to = f"{came_to} ({one.why})"
    return (
        *(str(one.seq), moment(one.at_s), one.controller, _plain(one.subject)),
        *(_WORDS[one.same], _plain(came_to)),
    )


def _plain(text: str) -> str:
    # What is shown holds names and reasons that others wrote: nothing in it may steer a terminal.
    return "".join(c if c.isprintable() else "?" for c in text)
