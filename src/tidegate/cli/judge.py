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
from tidegate.evals.bridge import Bridge
from tidegate.evals.calibrating import PAIRWISE, judged
from tidegate.evals.calibration import (
    Calibration,
    beside,
    calibrate,
    digest_of,
    read_calibration,
    written,
)
from tidegate.evals.checking import members
from tidegate.evals.grading import Judge, judge_prompts
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
@click.option(
    "--bridge",
    type=_PATH,
    help="Calibration of the judge before, of the same anchors: how the two are compared.",
)
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
    before = None if given["bridge"] is None else _before(given["bridge"], anchors)
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
    found = found if before is None else beside(found, before)
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


def _before(file: Path, anchors: tuple[Anchor, ...]) -> Calibration:
    """The calibration of the judge before, of these anchors. click.ClickException."""
    try:
        before = read_calibration(file.read_bytes())
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    if before.anchors_digest != digest_of(anchors):
        message = "it is of other anchors, and only the same ones bridge two judges"
        raise click.ClickException(f"{file}: {message}")
    return before


async def _calibrated(
    judge: Judge, gateway: Gateway, check: Check, anchors: tuple[Anchor, ...], at_once: int
) -> Calibration:
    grader = plugs.load("graders", check.grader)
    [prompt] = judge_prompts(grader, msgspec.json.decode(check.options), check.threshold)
    async with gateway:
        said = await judged(judge, check, anchors, at_once)
    digest = judge.digest(prompt)
    if digest is None:
        models = ", ".join(sorted(judge.models)) or "none"
        message = f"one model has to answer, and these did: {models}"
        raise click.ClickException(f"nobody knows who judges at {judge.route}: {message}")
    return calibrate(digest, next(iter(judge.models)), said)


def _judging(suite: Suite, metric: str | None) -> Check:
    """The one check of the suite that a judge makes, alone or in a group."""
    found: dict[tuple[str, bytes], Check] = {}
    for case in suite.cases:
        for check in (it for whole in case.checks for it in members(whole)):
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
        ("Krippendorff's alpha", _interval(found.alpha)),
        ("judged otherwise again", _share(found.flips)),
        ("no verdict", f"{found.errors} of {found.anchors}"),
    ]
    if found.first_share is not None:
        share, low, high = found.first_share
        rows.append(("for what is shown first", f"{share:.1%} ({low:.1%} to {high:.1%})"))
    for what, shift in (("length", found.length_shift), ("Markdown", found.markdown_shift)):
        if shift is not None:
            rows.append((f"moved by {what}", f"{shift * 100:+.1f} points"))
    if found.bias is not None:
        rows.append(("people give more", f"{found.bias.mean * 100:+.1f} points"))
    if found.bridge is not None:
        rows += _bridge(found.bridge)
    told = f"{found.anchors} anchors, {found.twice} of them by two people"
    click.echo(f"{found.model}, judge {found.judge[:12]}, {told}")
    click.echo(table(("FIGURE", "IS"), rows))
    if found.strata:
        kinds = [
            (it.name, str(it.anchors), _share(it.agreed), _interval(it.kappa))
            for it in found.strata
        ]
        click.echo(table(("STRATUM", "ANCHORS", "AS PEOPLE", "KAPPA"), kinds))
    for alarm in found.alarms:
        click.echo(f"warning: {alarm}", err=True)
    click.echo("it may decide in gates" if found.may_decide else "it may only inform")


def _bridge(found: Bridge) -> list[tuple[str, str]]:
    mean, low, high = (it * 100 for it in found.shift)
    factor = "unknown" if found.factor is None else f"x{found.factor:.3f}"
    return [
        ("beside the judge before", f"{found.model}, {found.before[:12]}"),
        ("as that one", f"{_share(found.agreed)}, kappa {_figure(found.kappa)}"),
        ("it gives more by", f"{mean:+.1f} points ({low:+.1f} to {high:+.1f}), {factor}"),
    ]


def _interval(found: Estimate) -> str:
    if found.value is None:
        return "unknown"
    return f"{found.value:.3f} ({_figure(found.low)} to {_figure(found.high)})"


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"
