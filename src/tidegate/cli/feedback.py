"""`tidegate feedback`: what was said of answers, and how they were rated."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, moment, table
from tidegate.control.shapes_captured import FeedbackList, FeedbackRates, RateView
from tidegate.control.shapes_quality import ShareView
from tidegate.stores.feedback import Heard, Rate
from tidegate.stores.friction import Abandoned, Friction

_LONGEST_COMMENT_CHARS = 200
_WHOSE = ("ROUTE", "ARM", "VERSION")


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
    """Show by route, arm and prompt version the share of thumbs down, of conversations whose user
    had to ask again (friction: lower is better), and of answers that were not waited for."""
    client = open_control(state, control)
    found = client.get("/api/feedback/rates", FeedbackRates, route=route, since_s=since)
    head = (*_WHOSE, "KEPT BY", "RATED", "DOWN", "REGENERATED")
    click.echo(table(head, [_rate(it) for it in found.rates]))
    if found.friction or found.abandoned:
        columns = ("CONVERSATIONS", "FRICTION", "UNKNOWN", "REQUESTS", "ABANDONED")
        click.echo("\n" + table((*_WHOSE, *columns), _silent(found)))


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


def _rate(view: RateView) -> tuple[str, ...]:
    it = view.found
    down = _share(it.down, view.down)
    return (*_whose(it), _text(it.cache_tier), str(it.rated), down, str(it.regenerated))


def _silent(found: FeedbackRates) -> list[tuple[str, ...]]:
    """What is known of those who have rated nothing."""
    friction = {_whose(it.found): it for it in found.friction}
    abandoned = {_whose(it.found): it for it in found.abandoned}
    rows = []
    for whose in sorted(friction.keys() | abandoned.keys()):
        talked, left = friction.get(whose), abandoned.get(whose)
        columns = ["-", "unknown", "-", "-", "unknown"]
        if talked is not None:
            it = talked.found
            columns[:3] = str(it.known), _share(it.with_friction, talked.friction), str(it.unknown)
        if left is not None:
            columns[3:] = str(left.found.requests), _share(left.found.left, left.abandoned)
        rows.append((*whose, *columns))
    return rows


def _whose(it: Rate | Friction | Abandoned) -> tuple[str, ...]:
    return tuple(map(_text, (it.route, it.arm, it.prompt_version)))


def _share(some: int, view: ShareView | None) -> str:
    """With its interval of 95 %."""
    if view is None:
        return "unknown"
    return f"{some} ({view.share:.1%}, {view.low:.1%} to {view.high:.1%})"


def _text(text: str | None) -> str:
    """Nothing that a caller wrote may steer the terminal."""
    return "-" if not text else "".join(c if c.isprintable() else " " for c in text)
