"""`tidegate feedback`: what was said of answers, and how they were rated."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, moment, table
from tidegate.control.shapes_captured import FeedbackList, FeedbackRates
from tidegate.stores.feedback import Heard, Rate

_LONGEST_COMMENT_CHARS = 200


@click.group(name="feedback")
def plug() -> None:
    """What was said of answers by `POST /v1/feedback`."""


@plug.command(name="list")
@click.option("--route", help="Only this route's.")
@click.option("--rated", type=click.Choice(["up", "down"]), help="Only ratings that are such.")
@click.option("--since", type=Duration(), help="How far back, as in 7d.")
@click.option("-n", "--lines", type=click.IntRange(1, 1000), default=20, show_default=True)
@control_options
def list_(
    state: Path | None, control: str | None, since: float | None, lines: int, **which: str | None
) -> None:
    """Show what was said last. Reading comments is in the audit trail."""
    client = open_control(state, control)
    found = client.get("/api/feedback", FeedbackList, since_s=since, limit=lines, **which)
    head = ("AT", "REQUEST", "ROUTE", "ARM", "VERSION", "TARGET", "SAID")
    click.echo(table(head, [_columns(it) for it in found.feedback]))


@plug.command()
@click.option("--route", help="Only this route's.")
@click.option("--since", type=Duration(), default="7d", show_default=True, help="How far back.")
@control_options
def rates(state: Path | None, control: str | None, route: str | None, since: float) -> None:
    """Show the share of thumbs down by route, arm and prompt version."""
    client = open_control(state, control)
    found = client.get("/api/feedback/rates", FeedbackRates, route=route, since_s=since)
    head = ("ROUTE", "ARM", "VERSION", "RATED", "DOWN", "REGENERATED")
    click.echo(table(head, [_rate(it) for it in found.rates]))


def _columns(said: Heard) -> tuple[str, ...]:
    whose = (said.route, said.arm, said.prompt_version, said.target)
    return (moment(said.at_s), said.receipt_id, *map(_text, whose), _said(said))


def _said(said: Heard) -> str:
    if said.kind == "rating":
        return f"rated {said.rating:g}"
    if said.kind == "tags":
        return _text(" ".join(f"#{it}" for it in said.tags))
    if said.comment is None:
        return said.kind
    more = "..." if len(said.comment) > _LONGEST_COMMENT_CHARS else ""
    return _text(said.comment[:_LONGEST_COMMENT_CHARS]) + more


def _rate(rate: Rate) -> tuple[str, ...]:
    down = f"{rate.down} ({rate.down / rate.rated:.1%})" if rate.rated else "unknown"
    whose = (rate.route, rate.arm, rate.prompt_version)
    return (*map(_text, whose), str(rate.rated), down, str(rate.regenerated))


def _text(text: str | None) -> str:
    """Nothing that a caller wrote may steer the terminal."""
    return "-" if not text else "".join(c if c.isprintable() else " " for c in text)
