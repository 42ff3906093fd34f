"""`tidegate cache calibrate` and `tidegate cache thresholds`: from which cosine on a route's
semantic tier gives an answer."""

import sys
from pathlib import Path
from typing import Any

import click

from tidegate.cli._cache_prefix import shown
from tidegate.cli._client import Control, control_options, open_control
from tidegate.cli._judged_pairs import judged_pairs
from tidegate.cli._words import Duration, table
from tidegate.control.shapes_thresholds import (
    ForgetThreshold,
    NewThreshold,
    ThresholdPage,
    ThresholdSet,
    ThresholdView,
)
from tidegate.core.encoding import Encoder, EncoderUnavailable, open_encoder
from tidegate.core.judged_hit import compared_by
from tidegate.evals.question_pairs import PairsRefused, halves, read_pairs, scored
from tidegate.stats.precision import Learnt, Point, Scored, at, learn
from tidegate.text.veto import VERSION

# What is advised elsewhere for every route, without pairs.
COMMON = (0.92, 0.95)
_HEAD = ("", "THRESHOLD", "TAKEN", "SAME", "PRECISION", "AT LEAST", "RECALL")


@click.command()
@click.argument("route")
@click.option(
    "--pairs",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Labelled pairs: JSON lines, or a table (.csv), with `text_a`, `text_b` and `label`.",
)
@click.option("--judged", is_flag=True, help="What judges said of its kept answers instead.")
@click.option(
    "--since",
    type=Duration(),
    default="30d",
    show_default=True,
    help="With --judged: how far back.",
)
@click.option("--encoder", help="Another than the route's.")
@click.option(
    "--target", type=click.FloatRange(0.5, 1, max_open=True), help="Another than the route's."
)
@click.option(
    "--halves",
    is_flag=True,
    help="Learn from one half of the pairs, and show what that comes to on the other.",
)
@click.option("--apply", is_flag=True, help="Have the route obey what is found.")
@click.option("--reason", default="calibrated", show_default=True, help="With --apply: why.")
@control_options
def calibrate(
    state: Path | None, control: str | None, route: str, file: Path | None, **how: Any
) -> None:
    """Learn from labelled pairs, or from judged traffic, from which cosine on ROUTE's semantic tier
    gives an answer.

    The lowest whose precision is at least the target, with 95 % confidence, among pairs that pass
    the veto. Where no cosine has that, the tier stays off. Exit status 1: there is none. Judged
    traffic is what the tier found no farther than 0.80: it says nothing of other pairs.
    """
    if (file is None) is not how["judged"]:
        raise click.UsageError("say one of --pairs and --judged")
    if how["halves"] and file is None:
        raise click.UsageError("--halves is of --pairs")
    asked = None
    encoder, target = how["encoder"], how["target"]
    if encoder is None or target is None or how["apply"] or file is None:
        asked = open_control(state, control)
        view = _of(asked, route)
        encoder, target = encoder or view.encoder, target or view.target
    try:
        opened = open_encoder(encoder)
        if file is not None:
            pairs, held = _labelled(file, opened, in_halves=how["halves"])
            source = file.name
        else:
            assert asked is not None  # noqa: S101 - see above
            by = compared_by(opened.version, VERSION)
            pairs, said = judged_pairs(asked, route, how["since"], by)
            held, source = [], "judged traffic"
            click.echo(f"Judged traffic; {said}.")
    except (EncoderUnavailable, PairsRefused) as error:
        raise click.ClickException(str(error)) from None
    learnt = learn(pairs, target)
    _tell(pairs, learnt, target, opened)
    if held and learnt.found is not None:
        click.echo("\nThe other half:")
        click.echo(table(_HEAD, _rows(held, at(held, learnt.found.threshold))))
    if learnt.found is None:
        sys.exit(1)
    if not how["apply"] or asked is None:
        click.echo("\nNothing was changed; with --apply the route obeys this.")
        return
    made = _new(learnt.found, target, opened, len(pairs), (source, how["reason"]))
    _told(asked.post(f"/api/cache/thresholds/{route}", ThresholdSet, made))


def _labelled(
    file: Path, encoder: Encoder, *, in_halves: bool
) -> tuple[list[Scored], list[Scored]]:
    """Those to learn from, and those to look at it with."""
    known = read_pairs(file)
    learnt_from, others = halves(known) if in_halves else (known, [])
    return scored(learnt_from, encoder, _progress), scored(others, encoder, _progress)


@click.command()
@click.option("--forget", metavar="ROUTE", help="Forget what this route has learnt.")
@click.option("--reason", help="With --forget: why.")
@control_options
def thresholds(
    state: Path | None, control: str | None, forget: str | None, reason: str | None
) -> None:
    """Show from which cosine on each route's semantic tier gives an answer, and what that is from.

    `off`: nothing is given, for what stands behind.
    """
    asked = open_control(state, control)
    if forget is not None:
        if reason is None:
            raise click.UsageError("--forget needs --reason")
        body = ForgetThreshold(reason)
        _told(asked.post(f"/api/cache/thresholds/{forget}/forget", ThresholdSet, body))
        return
    found = asked.get("/api/cache/thresholds", ThresholdPage).thresholds
    if not found:
        click.echo("no route has `cache.semantic`")
        return
    rows = [(shown(it.route), it.mode, it.encoder, f"{it.target:g}", *_state(it)) for it in found]
    click.echo(table(("ROUTE", "MODE", "ENCODER", "TARGET", "THRESHOLD", "FROM"), rows))


def _progress(texts: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{texts} texts encoded", nl=False, err=True)


def _of(control: Control, route: str) -> ThresholdView:
    for view in control.get("/api/cache/thresholds", ThresholdPage).thresholds:
        if view.route == route:
            return view
    raise click.ClickException(
        f"the route {route!r} has no `cache.semantic` in the plan file; write it there first, or "
        "give --encoder and --target to see what pairs say"
    )


def _tell(pairs: list[Scored], learnt: Learnt, target: float, encoder: Encoder) -> None:
    same, vetoed = sum(it.is_same for it in pairs), sum(it.veto is not None for it in pairs)
    click.echo(
        f"{len(pairs)} pairs, {same} of them the same; the veto holds back {vetoed}.\n"
        f"encoder {encoder.version}, veto {VERSION}, target {target:g}\n"
    )
    rows = _rows(pairs, learnt.found)
    if learnt.nearest is not None:
        rows.insert(0, _row("nearest, with veto", learnt.nearest))
    click.echo(table(_HEAD, rows))
    if learnt.found is None:
        click.echo(f"\nThe tier stays off: {learnt.why}.")


def _rows(pairs: list[Scored], learnt: Point | None) -> list[tuple[str, ...]]:
    rows = [] if learnt is None else [_row("learnt, with veto", learnt)]
    for threshold in COMMON:
        rows.append(_row("fixed, with veto", at(pairs, threshold)))
        rows.append(_row("fixed, without", at(pairs, threshold, vetoed=False)))
    return rows


def _row(name: str, point: Point) -> tuple[str, ...]:
    return (
        name,
        f"{point.threshold:.4f}",
        str(point.taken),
        str(point.same),
        "-" if point.precision is None else f"{point.precision:.3f}",
        f"{point.lower:.3f}",
        "-" if point.recall is None else f"{point.recall:.3f}",
    )


def _new(
    found: Point, target: float, encoder: Encoder, pairs: int, told: tuple[str, str]
) -> NewThreshold:
    source, reason = told
    return NewThreshold(
        threshold=found.threshold,
        target=target,
        encoder=encoder.name,
        encoder_version=encoder.version,
        veto_version=VERSION,
        pairs=pairs,
        taken=found.taken,
        same=found.same,
        all_same=found.all_same,
        source=source,
        reason=reason,
    )


def _told(made: ThresholdSet) -> None:
    threshold, said = _state(made.view)
    click.echo(f"\n{shown(made.view.route)}: {threshold} ({said})")
    if made.view.mode == "shadow" and made.view.threshold is not None:
        click.echo("Its mode is `shadow`: what would be given is only noted.")
    if made.waiting_for:
        click.echo(f"Not obeyed yet by: {', '.join(made.waiting_for)}")


def _state(view: ThresholdView) -> tuple[str, str]:
    """The threshold, and where it is from or why there is none."""
    learnt = view.learnt
    if view.written:
        return f"{view.threshold:g}", "written in the plan file, by no pairs"
    if learnt is None:
        return "off", "nothing was learnt: tidegate cache calibrate"
    if view.why_not is not None or view.threshold is None:
        return "off", view.why_not or "its gateways were not told yet"
    if learnt.veto_version != VERSION:
        return "off", f"it was learnt with veto {learnt.veto_version}, which is {VERSION} now"
    source = f"{learnt.same} of {learnt.taken} in {learnt.pairs} pairs of {shown(learnt.source)}"
    return f"{view.threshold:g}", f"{source}, {learnt.encoder_version}"
