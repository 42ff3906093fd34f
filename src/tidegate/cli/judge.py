"""`tidegate judge`: models that judge answers, held against people."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import msgspec
import uvloop

from tidegate.cli import _judge_told
from tidegate.cli._client import control_options, gateway_url, open_control
from tidegate.cli._eval_house import run_key
from tidegate.cli._eval_run import judge_parameters
from tidegate.cli._eval_sides import json_pairs
from tidegate.cli._eval_suite import read_suite
from tidegate.cli._words import Usd, table
from tidegate.control.shapes_judges import JudgeList
from tidegate.core import clock, plugs
from tidegate.core.grading import Check
from tidegate.core.words import quoted
from tidegate.evals.anchors import Anchor, AnchorsRefused, read_anchors
from tidegate.evals.asking import Gateway, MoneySpent
from tidegate.evals.calibrating import PAIRWISE, judged
from tidegate.evals.calibration import Calibration, calibrate, written
from tidegate.evals.grading import Judge, judge_prompt
from tidegate.evals.suite import Suite
from tidegate.stats.agreement import Estimate

_PATH = click.Path(path_type=Path)


@click.group("judge")
def plug() -> None:
    """Models that judge answers, and how far they say what people say."""


@plug.command("calibrate")
@click.argument("file", type=_PATH, metavar="SUITE")
@click.option("--anchors", "anchors_file", type=_PATH, required=True, help="What people said.")
@click.option("--judge", "route", required=True, metavar="ROUTE", help="Who judges.")
@judge_parameters
@click.option("--metric", help="Which check of the suite, where several judges are in it.")
@click.option("--out", type=_PATH, help="Where the calibration is written.")
@click.option("--keep", "keeps", is_flag=True, help="Have control keep it, for gates and the plan.")
@click.option("--gateway", envvar="TIDEGATE_GATEWAY", metavar="URL", help="Its address.")
@click.option("--at-once", type=click.IntRange(1, 1000), default=8, show_default=True)
@click.option("--most-usd", type=Usd(), default="5", show_default=True, help="What it may cost.")
@click.option("--team", help="Whose budgets it counts for. Default: the plan's.")
@control_options
def calibrate_judge(file: Path, anchors_file: Path, route: str, **given: Any) -> None:
    """Ask the judge of SUITE of answers that people have judged, twice of each, and compare.

    Exit 0 when it may decide in gates, 1 when it may only inform, 2 when its money was spent first.
    """
    if given["out"] is None and not given["keeps"]:
        raise click.UsageError("say where it is to be kept: --out FILE, --keep, or both")
    check = _judging(read_suite(file), given["metric"])
    try:
        anchors = read_anchors(anchors_file, pairwise=check.grader == PAIRWISE)
    except (AnchorsRefused, OSError) as error:
        raise click.ClickException(str(error)) from error
    house = open_control(given["state"], given["control"])
    most: Decimal = given["most_usd"]
    with run_key(house, "judge calibrate", [route], most, given["team"]) as key:
        session, at_once = clock.IdSource().new(), given["at_once"]
        address = gateway_url(given["state"], given["gateway"])
        gateway = Gateway(address, key.secret, session, at_once)
        asked = json_pairs(given["judge_parameter"], "--judge-parameter")
        judge = Judge(gateway, route, tuple(sorted(asked.items())))
        try:
            found = uvloop.run(_calibrated(judge, gateway, check, anchors, at_once))
        except* MoneySpent as spent:
            click.echo(f"stopped, its money is spent: {spent.exceptions[0]}", err=True)
            raise click.exceptions.Exit(2) from None
    _tell(found)
    if given["out"] is not None:
        try:
            given["out"].write_bytes(written(found))
        except OSError as error:
            raise click.ClickException(f"{given['out']}: {error}") from error
    if given["keeps"]:
        _judge_told.keep(house, found, route, check.metric or check.grader)
    sys.exit(0 if found.may_decide else 1)


@plug.command()
@control_options
def status(state: Path | None, control: str | None) -> None:
    """Show who judges live answers, how far each says what people say, and since when."""
    house = open_control(state, control)
    _judge_told.tell(house.get(_judge_told.PATH, JudgeList))


async def _calibrated(
    judge: Judge, gateway: Gateway, check: Check, anchors: tuple[Anchor, ...], at_once: int
) -> Calibration:
    grader = plugs.load("graders", check.grader)
    prompt = judge_prompt(grader, check.grader, msgspec.json.decode(check.options))
    async with gateway:
        said = await judged(judge, check, anchors, at_once)
    digest = judge.digest(prompt or "")
    if digest is None:
        models = ", ".join(sorted(judge.models)) or "none"
        message = f"one model has to answer, and these did: {models}"
        raise click.ClickException(f"nobody knows who judges at {judge.route}: {message}")
    return calibrate(digest, next(iter(judge.models)), said)


def _judging(suite: Suite, metric: str | None) -> Check:
    """The one check of the suite that a judge makes."""
    found: dict[tuple[str, bytes], Check] = {}
    for case in suite.cases:
        for check in case.checks:
            is_judge = check.grader.startswith("judge_")
            if is_judge and metric in (None, check.metric):
                found[check.grader, bytes(check.options)] = check
    if len(found) != 1:
        what = "no check by a judge" if not found else f"{len(found)} different checks by judges"
        which = "" if metric is None else f" of the metric {quoted(metric)}"
        raise click.UsageError(f"the suite has {what}{which}: name one, with --metric")
    return next(iter(found.values()))


def _tell(found: Calibration) -> None:
    rows = [
        ("kappa with people", _interval(found.kappa)),
        ("people with each other", _interval(found.ceiling)),
        ("Krippendorff's alpha", _figure(found.alpha)),
        ("judged otherwise again", _share(found.flips)),
        ("no verdict", f"{found.errors} of {found.anchors}"),
    ]
    if found.first_share is not None:
        share, low, high = found.first_share
        rows.append(("for what is shown first", f"{share:.1%} ({low:.1%} to {high:.1%})"))
    if found.length_shift is not None:
        rows.append(("moved by length", f"{found.length_shift * 100:+.1f} points"))
    if found.people is not None:
        mean, low, high = found.people
        rows.append(("people would pass", f"{mean:.1%} ({low:.1%} to {high:.1%})"))
    click.echo(f"{found.model}, judge {found.judge[:12]}, {found.anchors} anchors")
    click.echo(table(("FIGURE", "IS"), rows))
    for alarm in found.alarms:
        click.echo(f"warning: {alarm}", err=True)
    click.echo("it may decide in gates" if found.may_decide else "it may only inform")


def _interval(found: Estimate) -> str:
    if found.value is None:
        return "unknown"
    return f"{found.value:.3f} ({_figure(found.low)} to {_figure(found.high)})"


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"
