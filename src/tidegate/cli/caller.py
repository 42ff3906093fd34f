"""`tidegate caller`: who is let in by a token of somebody else, and who no more."""

from pathlib import Path
from typing import Any

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Moment, moment, table
from tidegate.control.shapes_callers import (
    CallerChanged,
    CallerMeant,
    CallerRevocation,
    RevokedList,
)
from tidegate.core.caller import id_of_caller


@click.group(name="caller")
def plug() -> None:
    """Callers without a key: their tokens' issuers are in the plan file's `callers`."""


@plug.command(name="id")
@click.argument("issuer")
@click.argument("subject")
def id_(issuer: str, subject: str) -> None:
    """Print the id that receipts and limits have of SUBJECT, by its tokens' `iss` and `sub`."""
    click.echo(id_of_caller(issuer, subject))


@plug.command()
@click.argument("issuer")
@click.option("--subject", help="Only this caller of it.")
@click.option("--token", "token_id", metavar="JTI", help="Only this token, by its `jti`.")
@click.option(
    "--before",
    "before_s",
    type=Moment(),
    help="Only tokens made until then, such as 2026-03-01T12:00Z.",
)
@control_options
def revoke(state: Path | None, control: str | None, **meant: Any) -> None:
    """Let in no more, on every gateway at once: all of ISSUER, one subject, or one token.

    ISSUER is its name in the plan file, or what it calls itself.
    """
    asked = CallerRevocation(**meant)
    done = open_control(state, control).post("/api/callers/revoke", CallerChanged, asked)
    click.echo(f"Revoked {done.id} of {done.issuer}.")
    _tell_waiting(done.waiting_for)


@plug.command()
@click.argument("issuer")
@click.option("--subject", help="Only this caller of it.")
@click.option("--token", "token_id", metavar="JTI", help="Only this token, by its `jti`.")
@control_options
def restore(state: Path | None, control: str | None, **meant: Any) -> None:
    """Let in again what was revoked by the same words."""
    asked = CallerMeant(**meant)
    done = open_control(state, control).post("/api/callers/restore", CallerChanged, asked)
    click.echo(f"Restored {done.id} of {done.issuer}.")
    _tell_waiting(done.waiting_for)


@plug.command(name="list")
@control_options
def list_(state: Path | None, control: str | None) -> None:
    """List who is let in no more."""
    found = open_control(state, control).get("/api/callers/revocations", RevokedList)
    rows = [
        (
            one.id,
            one.issuer,
            one.subject or "-",
            one.token_id or "-",
            moment(one.before_s, "whenever made"),
            moment(one.at_s, "-"),
            one.author,
        )
        for one in found.revocations
    ]
    click.echo(table(("ID", "ISSUER", "SUBJECT", "TOKEN", "MADE UNTIL", "REVOKED", "BY"), rows))


def _tell_waiting(gateways: list[str]) -> None:
    if gateways:
        names = ", ".join(gateways)
        click.echo(f"Not yet obeyed by {names}; control keeps telling it.", err=True)
