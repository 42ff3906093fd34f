"""`tidegate quality`: what is found of live answers."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._hits import tell_hits
from tidegate.cli._words import Duration, moment, table
from tidegate.control.shapes_quality import (
    AssessmentList,
    JudgedView,
    QualityList,
    QualityView,
    ShareView,
)
from tidegate.core.assessment import Assessment
from tidegate.stores.assessments import Assessed

_NANOUSD_A_USD = 1e9
_KINDS = ("quality", "follow_up", "thumbs_down")


@click.group(name="quality")
def plug() -> None:
    """What is found of live answers: by graders, by users' next turns and by their thumbs."""


@plug.command()
@click.option("--route", help="Only this route's.")
@click.option("--since", type=Duration(), default="7d", show_default=True, help="How far back.")
@control_options
def show(state: Path | None, control: str | None, route: str | None, since: float) -> None:
    """Show the share of bad answers by route, arm, prompt version and model."""
    client = open_control(state, control)
    found = client.get("/api/quality", QualityList, route=route, since_s=since)
    if not found.quality:
        click.echo("no route declares `quality`, and nothing was found of any answer")
    for at, one in enumerate(found.quality):
        if at:
            click.echo()
        _tell(one)


def _tell(one: QualityView) -> None:
    overall = "unknown" if one.overall is None else _share(one.overall)
    click.echo(f"{_text(one.route)}: bad of all answers {overall}")
    if one.overall is not None and one.overall.covered < 1:
        share = f"{one.overall.covered:.0%}"
        click.echo(f"  known of {share} of the answers; the rest is taken to be alike")
    if one.ungraded is not None:
        since = moment(one.ungraded.since_s)
        click.echo(f"  NOT GRADED as declared since {since}: {_text(one.ungraded.why)}")
    elif not one.is_graded:
        click.echo("  not graded now: its `quality` has no `checks`")
    if one.judged:
        head = ("ARM", "VERSION", "MODEL", "JUDGED", "BAD", "UNKNOWN", "COST USD", "SINCE")
        click.echo(table(head, [_judged(it) for it in one.judged]))
    if one.others:
        columns = ("ARM", "VERSION", "FOUND BY", "OF", "BAD", "UNKNOWN")
        click.echo(table(columns, [_other(it) for it in one.others]))
    if one.hits is not None:
        tell_hits(one.hits)


def _judged(view: JudgedView) -> tuple[str, ...]:
    it = view.found
    cost = f"{it.cost_nanousd / _NANOUSD_A_USD:.4f}"
    if it.cost_unknown:
        cost += f" and {it.cost_unknown} unknown"
    return (
        *map(_text, (it.arm, it.prompt_version, it.model)),
        str(it.known),
        "unknown" if view.bad is None else _share(view.bad),
        str(it.unknown),
        cost,
        moment(it.since_s),
    )


def _other(it: Assessed) -> tuple[str, ...]:
    bad = f"{it.bad} ({it.bad / it.known:.1%})" if it.known else "unknown"
    whose = (it.arm, it.prompt_version, it.assessed_as)
    return (*map(_text, whose), str(it.known), bad, str(it.unknown))


def _share(share: ShareView) -> str:
    return f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"


@plug.command(name="list")
@click.option("--route", help="Only this route's.")
@click.option("--kind", type=click.Choice(_KINDS), help="Only what was found so.")
@click.option("--arm", type=click.Choice(["stable", "canary"]), help="Only this arm's.")
@click.option("--bad/--good", "bad", default=None, help="Only those found so.")
@click.option("-n", "--lines", type=click.IntRange(1, 1000), default=20, show_default=True)
@control_options
def list_(
    state: Path | None, control: str | None, bad: bool | None, lines: int, **which: str | None
) -> None:
    """Show what was found last. `tidegate capture show` shows what was said in a request."""
    client = open_control(state, control)
    only = None if bad is None else str(bad).lower()
    found = client.get("/api/quality/assessments", AssessmentList, bad=only, limit=lines, **which)
    head = ("AT", "REQUEST", "ROUTE", "ARM", "VERSION", "KIND", "FOUND", "SCORE", "WHY")
    click.echo(table(head, [_columns(it) for it in found.assessments]))


def _columns(made: Assessment) -> tuple[str, ...]:
    found = "unknown" if made.is_bad is None else "bad" if made.is_bad else "good"
    score = "-" if made.score is None else f"{made.score:.2f}"
    whose = (made.route, made.arm, made.prompt_version, made.assessed_as)
    return (moment(made.at_s), made.receipt_id, *map(_text, whose), found, score, _text(made.why))


def _text(text: str | None) -> str:
    """Nothing that others wrote may steer the terminal."""
    return "-" if not text else "".join(c if c.isprintable() else " " for c in text)
