"""`tidegate release`: releases on their way onto a route, from their file to their promotion."""

from collections.abc import Iterator
from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import moment, table
from tidegate.control.shapes_releases import (
    AskRelease,
    MetricView,
    OneRelease,
    ReleaseAsked,
    ReleaseExplained,
    ReleaseList,
    ReleaseMade,
    ReleaseView,
)
from tidegate.core.rollout_state import What

_HEAD = ("RELEASE", "STATE", "STEP", "WEIGHT", "REQUESTS", "UNITS", "SINCE", "WHY")
_METRICS = ("METRIC", "VERDICT", "HOW MUCH WORSE", "MARGIN", "SEEN", "STILL NEEDED", "CANNOT SEE")
_ASK = "/api/releases/ask"
_NOT_YET = (
    "The loop has not done it yet: see `tidegate loop status`. Without the loop nobody is sent "
    'there by: tidegate change set release_off {route} --for 1h --reason "..."'
)


@click.group(name="release")
def plug() -> None:
    """Release what a route serves: watched, step by step, and undone by itself when it is worse."""


@plug.command()
@click.argument("release")
@control_options
def create(state: Path | None, control: str | None, release: str) -> None:
    """Make RELEASE (ROUTE/NAME) of its file, releases/ROUTE/NAME.yaml beside the plan file.

    It is never changed afterwards. Nothing is served by it before it is started.
    """
    made = open_control(state, control).post("/api/releases", ReleaseMade, OneRelease(release))
    if made.is_new:
        click.echo(f"Created release {made.id}. Start it with: tidegate release start {made.id}")
    else:
        click.echo(f"Release {made.id} was created before, and says the same.")
    for note in made.notes:
        click.echo(f"  {_plain(note)}")


@plug.command("list")
@click.option("--all", "ended", is_flag=True, help="Those that have ended too.")
@control_options
def list_releases(state: Path | None, control: str | None, ended: bool) -> None:
    """Show releases and where they stand."""
    _list(state, control, ended=ended)


@plug.command()
@click.argument("release", required=False)
@control_options
def status(state: Path | None, control: str | None, release: str | None) -> None:
    """Show where releases stand, or of one RELEASE what it still needs to be judged."""
    if release is None:
        _list(state, control, ended=False)
        return
    found = _explained(state, control, release)
    click.echo(_summary(found.release))
    click.echo()
    click.echo(_judged(found))


@plug.command()
@click.argument("release")
@control_options
def explain(state: Path | None, control: str | None, release: str) -> None:
    """Show all of RELEASE: what it changes, its verdicts, what people asked, its time line."""
    found = _explained(state, control, release)
    click.echo(_summary(found.release))
    for part in _parts(found):
        click.echo()
        click.echo(part)


def _wish(what: What, means: str, *, needs_reason: bool = False) -> None:
    """Adds the command by which people ask this."""

    @plug.command(what.replace("_", "-"), help=means)
    @click.argument("release")
    @click.option("--reason", required=needs_reason, help="Why.")
    @control_options
    def ask(state: Path | None, control: str | None, release: str, reason: str | None) -> None:
        wish = AskRelease(release, what, reason or "")
        asked = open_control(state, control).post(_ASK, ReleaseAsked, wish)
        if asked.is_done:
            _tell_undone(asked)
        else:
            click.echo(
                f"Asked to {what.replace('_', ' ')} {asked.id}; see: tidegate release status"
            )
        if asked.is_done is False:
            click.echo(_NOT_YET.format(route=release.rpartition("/")[0]), err=True)


def _tell_undone(asked: ReleaseAsked) -> None:
    if not asked.waiting_for:
        click.echo(f"Rolled back {asked.id}: every gateway obeys, and nobody gets it any more.")
        return
    names = ", ".join(_plain(name) for name in asked.waiting_for)
    click.echo(f"Rolled back {asked.id}.")
    click.echo(
        f"Not yet obeyed by {names}; control keeps telling it. A gateway that is away lets go of "
        "what was not promoted by itself, when its lease is over.",
        err=True,
    )


_wish("start", "Start RELEASE: once its gates are open it serves its first units.")
_wish("approve", "Say yes to the next move of RELEASE, where it waits for people.")
_wish("pause", "Hold RELEASE at its weight until it is resumed; its guards stay armed.")
_wish("resume", "Let RELEASE go on.")
_wish("rollback", "Take RELEASE back: nobody is sent to it any more.", needs_reason=True)
_wish(
    "skip_analysis",
    "Go on from this step of RELEASE without its verdicts. For emergencies: it is kept who did.",
    needs_reason=True,
)

_wish(
    "waive_certificate",
    "Let RELEASE go on without the certificates that it lacks. For emergencies: it is kept who did "
    "and why, and told as uncertified_pair.",
    needs_reason=True,
)


@plug.command()
@click.argument("release")
@click.argument("name")
@click.argument("outcome", type=click.Choice(["passed", "failed"]))
@click.option("--reason", default="", help="Why, or where its report is.")
@control_options
def gate(state: Path | None, control: str | None, **given: str) -> None:
    """Tell the outcome of gate NAME of RELEASE, which starts when all of them have passed.

    The gate `certificate` is nobody's to tell: control looks for certificates by itself.
    """
    name, outcome = given["name"], given["outcome"]
    what: What = "gate_passed" if outcome == "passed" else "gate_failed"
    wish = AskRelease(given["release"], what, given["reason"], name)
    asked = open_control(state, control).post(_ASK, ReleaseAsked, wish)
    click.echo(f"Gate {name} of {asked.id}: {outcome}.")


def _list(state: Path | None, control: str | None, *, ended: bool) -> None:
    client = open_control(state, control)
    found = client.get("/api/releases", ReleaseList, ended=str(ended).lower())
    click.echo(table(_HEAD, [_row(one) for one in found.releases]))
    if found.looked_at_s is None:
        click.echo("\nthe loop of this control has not looked at them", err=True)


def _explained(state: Path | None, control: str | None, release: str) -> ReleaseExplained:
    client = open_control(state, control)
    return client.get("/api/releases/explain", ReleaseExplained, id=release)


def _row(one: ReleaseView) -> tuple[str, ...]:
    why = one.problem or ", ".join(one.waits_for) or one.reason
    return (
        *(_plain(one.id), one.state.replace("_", " "), f"{one.step + 1} of {one.steps}"),
        *(_share(one.weight), str(one.requests), str(one.units), moment(one.since_s), _plain(why)),
    )


def _summary(one: ReleaseView) -> str:
    lines = [
        f"Release {_plain(one.id)} of {_plain(one.owner)}: {one.state.replace('_', ' ')}, step "
        f"{one.step + 1} of {one.steps}, {_share(one.weight)} of units, since {moment(one.since_s)}"
    ]
    if one.reason:
        lines.append(f"  because {_plain(one.reason)}")
    lines += [f"  waits for {_plain(wait)}" for wait in one.waits_for]
    if one.problem:
        lines.append(f"  problem: {_plain(one.problem)}")
    if one.requests_per_s is None:
        lines.append(f"  {one.requests} requests of {one.units} units; no traffic at present")
    else:
        hourly = 3600 * one.requests_per_s
        lines.append(f"  {one.requests} requests of {one.units} units, {hourly:.0f} an hour now")
    return "\n".join(lines)


def _judged(found: ReleaseExplained) -> str:
    lines = [table(_METRICS, [_metric(one) for one in found.metrics])]
    if found.ratio_broken:
        lines.append("The candidate's share of units is not its weight: nothing of this counts.")
    lines += [_plain(note) for note in found.notes]
    return "\n".join(lines)


def _metric(one: MetricView) -> tuple[str, ...]:
    counted = "units" if one.by_unit else one.counted
    needed = "-" if one.needed is None else f"{one.needed} {counted}"
    if one.needed and one.needed_s is not None:
        needed += f", {_span(one.needed_s)}"
    smallest = "-" if one.smallest is None else f"below {one.smallest}"
    seen = f"{one.canary} against {one.stable} {counted}"
    verdict = one.verdict.replace("_", " ")
    return one.name, verdict, one.effect, one.margin, seen, needed, smallest


def _parts(found: ReleaseExplained) -> Iterator[str]:
    changes = [(name, _plain(value)) for name, value in sorted(found.members.items())]
    changes += [(f"runtime.{name}", _plain(value)) for name, value in found.runtime.items()]
    yield table(("CHANGES", "TO"), changes)
    yield _judged(found)
    stable, canary = found.cached_shares
    if stable is not None and canary is not None:
        yield (
            f"Prompts read from a cache: {_share(canary)} of the candidate's answers, "
            f"{_share(stable)} of the others'"
        )
    if found.asked:
        asked = [
            (moment(one.at_s), *map(_plain, (one.who, one.what, one.gate or "", one.reason)))
            for one in found.asked
        ]
        yield table(("ASKED AT", "BY", "WHAT", "GATE", "WHY"), asked)
    yield table(("AT", "STATE", "STEP", "BECAUSE"), _time_line(found))


def _time_line(found: ReleaseExplained) -> list[tuple[str, ...]]:
    return [
        (moment(one.at_s), one.state.replace("_", " "), str(one.step + 1), _plain(one.why))
        for one in found.time_line
    ]


def _share(value: float) -> str:
    return f"{100 * value:g} %"


def _span(seconds: float) -> str:
    """`40 min`, `3.5 h`, `2.1 d` at present traffic."""
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.1f} d"


def _plain(text: str) -> str:
    # Files and people write these: nothing in them may steer the terminal.
    return "".join(c if c.isprintable() else "?" for c in text)
