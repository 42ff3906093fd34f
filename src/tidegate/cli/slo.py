"""`tidegate slo`: how objectives stand, what is behind a burn, and rules for Prometheus."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import moment, table
from tidegate.control.shapes_slo import (
    ExplainedObjective,
    Exported,
    NewReview,
    ObjectiveView,
    ReviewView,
    RouteSlo,
    SloExplained,
    SloList,
)
from tidegate.core.objective import bound_text
from tidegate.core.signal import NoData, Signal
from tidegate.core.units import format_duration

_HEAD = ("OBJECTIVE", "GOOD", "REQUESTS", "BAD", "LEFT", "STATE", "1H", "6H", "1D", "3D", "ALERT")
_ABSENT = "-"


@click.group(name="slo")
def plug() -> None:
    """See objectives, their error budgets, and what is behind a burn."""


@plug.command()
@click.argument("route", required=False)
@control_options
def status(state: Path | None, control: str | None, route: str | None) -> None:
    """Show each objective of ROUTE, or of every route: what is left of its error budget, and how
    many times too fast it burns in the long windows of the four alerts.

    A `!` stands at a window whose alert fires.
    """
    found = open_control(state, control).get("/api/slo", SloList, route=route)
    if not found.routes:
        click.echo("no route has objectives: write `slo:` below one", err=True)
    for number, one in enumerate(found.routes):
        click.echo(("\n" if number else "") + _heading(one))
        windows = [format_duration(it.long_s).upper() for it in one.objectives[0].tiers]
        head = (*_HEAD[:6], *windows, _HEAD[-1])
        click.echo(table(head, [_row(it) for it in one.objectives]))


@plug.command()
@click.argument("route")
@click.option("--objective", help="Only this one, such as `ttft`.")
@control_options
def explain(state: Path | None, control: str | None, route: str, objective: str | None) -> None:
    """Say what is behind the bad requests of ROUTE's last hour: whose fault they were, or in which
    phase they lost their time, what the engines say of themselves, and what was changed while the
    budget burned."""
    client = open_control(state, control)
    found = client.get("/api/slo/explain", SloExplained, route=route, objective=objective)
    shown = [one for one in found.objectives if one.bad] or found.objectives[:1]
    click.echo(f"{route}: requests since {moment(found.since_s)}")
    for one in sorted(shown, key=lambda it: -(it.burn or 0.0)):
        _show_explained(one)
    if found.engines:
        click.echo("\nengines")
        rows = [(it.scope, it.name.removeprefix("engine_"), _reading(it)) for it in found.engines]
        click.echo(table(("TARGET/REPLICA", "READING", "NOW"), rows))
    _show_happened(found)


@plug.command()
@click.argument("route")
@click.option("--postmortem", required=True, help="Where it was written down, such as a URL.")
@click.option("--follow-up", required=True, help="What is done so that it does not come again.")
@control_options
def review(
    state: Path | None, control: str | None, route: str, postmortem: str, follow_up: str
) -> None:
    """Say that ROUTE's last incident was reviewed, so that releases other than fixes may go on."""
    body = NewReview(route, postmortem, follow_up)
    kept = open_control(state, control).post("/api/slo/reviews", ReviewView, body)
    click.echo(f"{kept.route}: reviewed by {kept.author} at {moment(kept.at_s)}")


@plug.command()
@click.option(
    "--for",
    "what",
    type=click.Choice(["prometheus", "alertmanager"]),
    default="prometheus",
    show_default=True,
    help="Recording and alerting rules, or routes for their alerts.",
)
@control_options
def export(state: Path | None, control: str | None, what: str) -> None:
    """Print the objectives as rules with Sloth's names, or as Alertmanager's routes."""
    found = open_control(state, control).get("/api/slo/export", Exported, what=what)
    click.echo(found.text, nl=False)


def _heading(one: RouteSlo) -> str:
    preset = f" ({one.preset})" if one.preset else ""
    lines = [f"{one.route}{preset}: {one.state}; {one.why}"]
    if one.review_wanted is not None:
        lines.append(f"  {one.review_wanted}: `tidegate slo review {one.route}`")
    if one.absent:
        lines.append("  no requests come, where some should")
    return "\n".join(lines)


def _row(one: ObjectiveView) -> tuple[str, ...]:
    bound = bound_text(one.within_s, one.per_output_token_s)
    within = f" in {bound}" if bound else ""
    burns = (
        (_ABSENT if it.long_burn is None else f"{it.long_burn:.3g}") + ("!" if it.fires else "")
        for it in one.tiers
    )
    return (
        one.sli,
        f"{one.target_percent:g} %{within}",
        str(one.judged),
        str(one.bad),
        _ABSENT if one.left is None else f"{100 * one.left:.3g} %",
        one.state,
        *burns,
        one.told or _ABSENT,
    )


def _show_explained(one: ExplainedObjective) -> None:
    burn = "" if one.burn is None else f", burns {one.burn:.3g} times too fast"
    click.echo(f"\n{one.sli}: {one.bad} of {one.judged} were bad{burn}")
    if one.causes:
        rows = [
            (it.name, it.target or _ABSENT, f"{it.bad}", f"{100 * it.share:.0f} %", it.detail)
            for it in one.causes
        ]
        click.echo(table(("BEHIND IT", "TARGET", "BAD", "SHARE", "WHAT"), rows))
    for it in one.excesses:
        click.echo(
            f"{it.dimension} {it.value} has {100 * it.bad_share:.0f} % of the bad requests, "
            f"and {100 * it.share:.0f} % of all"
        )


def _show_happened(found: SloExplained) -> None:
    since = moment(found.happened_since_s)
    if not found.happened:
        click.echo(f"\nnothing was changed since {since}")
        return
    click.echo(f"\nchanged since {since}")
    rows = [
        (moment(it.at_s), it.kind, _plain(it.name), _plain(it.who), _plain(it.what))
        for it in found.happened
    ]
    click.echo(table(("WHEN", "KIND", "NAME", "BY", "WHAT"), rows))


def _plain(text: str) -> str:
    # Reasons and names are what somebody wrote: nothing in them may steer the terminal.
    return "".join(c if c.isprintable() else "?" for c in text)


def _reading(signal: Signal) -> str:
    if isinstance(signal.reading, NoData):
        return f"unknown ({signal.reading.why})"
    return f"{signal.reading.value:.4g} {signal.unit}"
