"""What control keeps of judges: brought there, read from there, shown."""

import click
import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tidegate.cli._client import Control
from tidegate.cli._words import moment, table
from tidegate.control.shapes_judges import (
    MAX_FIGURES_BYTES,
    JudgeList,
    JudgeView,
    LookView,
    NewCalibration,
    SeatView,
)
from tidegate.evals.bridge import Bridge
from tidegate.evals.calibration import Calibration, may_decide, read_calibration

PATH = "/api/judges"
_WHY = "tidegate judge calibrate --keep"
_LETTERS = 12
_LOOKS_SHOWN = 6
_SEATS = ("ROUTE", "CHECK", "FOR", "JUDGE", "MODEL", "SINCE", "TO ASK", "PROBLEM")
_JUDGES = ("JUDGE", "MODEL", "CHECK", "KAPPA", "CALIBRATED", "UNTIL", "LOOKS", "SUM", "IS")


def keep(control: Control, found: Calibration, route: str, name: str) -> None:
    """Has control keep a calibration; where that is long, without what was said of each anchor."""
    figures = msgspec.json.encode(found)
    if len(figures) > MAX_FIGURES_BYTES:
        figures = msgspec.json.encode(replace(found, said={}))
    made = NewCalibration(
        judge=found.judge,
        route=route,
        name=name,
        model=found.model,
        may_decide=found.may_decide,
        anchors=found.anchors,
        anchors_digest=found.anchors_digest,
        errors=found.errors,
        known=found.known,
        agreed=found.agreed,
        figures=msgspec.json.decode(figures, type=dict[str, Raw]),
        reason=_WHY,
        kappa=found.kappa.value,
        kappa_low=found.kappa.low,
        kappa_high=found.kappa.high,
    )
    kept = control.post(PATH, JudgeView, made)
    click.echo(f"kept by {control.url} until {moment(kept.expires_at_s)}")


def kept(control: Control) -> list[Calibration]:
    """Of the judges that control says may decide, and whose figures say so."""
    found = []
    for view in control.get(PATH, JudgeList).judges:
        if view.may_decide:
            try:
                one = read_calibration(bytes(view.figures))
            except ValueError as error:
                click.echo(f"{view.judge[:_LETTERS]} in control: {error}", err=True)
                continue
            if one.judge == view.judge and may_decide(one):
                found.append(one)
    return found


def tell(found: JudgeList) -> None:
    """Where judges look, who they are, and what became of each."""
    if not found.judges and not found.seats:
        click.echo("no judge was held against people yet: see `tidegate judge calibrate`")
        return
    if found.seats:
        click.echo(table(_SEATS, [_seat(it) for it in found.seats]))
    if found.seats and found.judges:
        click.echo()
    if found.judges:
        click.echo(table(_JUDGES, [_judge(it) for it in found.judges]))
    for view in found.judges:
        if view.bridge is not None:
            click.echo(_bridge(view))
    for view in found.judges:
        if view.alarm_since_s is not None:
            since = moment(view.alarm_since_s)
            click.echo(f"{view.judge[:_LETTERS]} drifts since {since}: {view.alarm}", err=True)


def _seat(seat: SeatView) -> tuple[str, ...]:
    who = seat.judge[:_LETTERS] or "unknown", seat.model or "unknown"
    left = "unknown" if seat.to_ask is None else str(seat.to_ask)
    since = moment(seat.changed_at_s)
    return (seat.route, seat.name, ",".join(seat.used_by), *who, since, left, seat.problem or "-")


def _judge(view: JudgeView) -> tuple[str, ...]:
    kappa = "unknown"
    if view.kappa is not None and view.kappa_low is not None and view.kappa_high is not None:
        kappa = f"{view.kappa:.2f} ({view.kappa_low:.2f} to {view.kappa_high:.2f})"
    limit = "-" if view.sum_limit is None else f"{view.sum_now:.4g} of {view.sum_limit:.4g}"
    shown = [_look(it) for it in reversed(view.looks[:_LOOKS_SHOWN])]
    times = moment(view.calibrated_at_s), moment(view.expires_at_s)
    who = view.judge[:_LETTERS], view.model, view.name
    return (*who, kappa, *times, " ".join(shown) or "-", limit, _standing(view))


def _look(look: LookView) -> str:
    return f"{look.agreed}/{look.known}" + ("!" if look.is_over else "")


def _standing(view: JudgeView) -> str:
    if view.may_decide:
        return "may decide"
    if view.alarm_since_s is not None:
        return "drifts"
    return "expired" if view.is_calibrated else "only informs"


def _bridge(view: JudgeView) -> str:
    assert view.bridge is not None  # noqa: S101 - see `tell`
    over = msgspec.json.decode(view.bridge, type=Bridge)
    shift, low, high = (f"{100 * it:+.1f}" for it in over.shift)
    before = "itself before" if over.before == view.judge else over.before[:_LETTERS]
    return (
        f"{view.judge[:_LETTERS]} gives {shift} points ({low} to {high}) more than {before}, of "
        f"the {over.anchors} anchors of both"
    )
