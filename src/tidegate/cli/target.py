"""`tidegate target`: the targets of the plan in force, and what probes have shown of them."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import moment, table
from tidegate.control.shapes_targets import TargetList, TargetView

_HEAD = ("TARGET", "MODEL", "ROUTES", "IN FLIGHT", "LEFT ALONE", "PROBED", "UP", "LAST HOUR")
_MORE = ("LAST GOOD", "FIRST TOKEN")
_ABSENT = "-"


@click.group(name="target")
def plug() -> None:
    """See targets, and whether they can serve."""


@plug.command("list")
@control_options
def list_targets(state: Path | None, control: str | None) -> None:
    """Show each target of the plan in force, and what this machine's gateways see of it.

    UP and LAST HOUR are of probes: parts (replicas with credentials) whose last one was good, of
    those that were probed; and how many of the last hour's were good, at the gateway that saw the
    fewest. UP is `no credential` where a gateway has no token of the provider's identity yet, or
    not any more: nothing is sent there.
    """
    found = open_control(state, control).get("/api/targets", TargetList)
    click.echo(table((*_HEAD, *_MORE), [_row(view) for view in found.targets]))
    if not found.gateways:
        click.echo("\nno gateway reports to this control", err=True)


def _row(view: TargetView) -> tuple[str, ...]:
    probe = view.probe
    return (
        view.name,
        f"{view.provider}/{view.model}",
        ", ".join(view.routes),
        _number(view.in_flight),
        _number(view.left_alone),
        "no" if probe is None else f"every {probe.every_s:g} s",
        _up(view),
        _ABSENT if view.availability is None else f"{100 * view.availability:.3g} %",
        moment(view.last_good_at_s),
        _ABSENT if view.ttft_s is None else f"{1000 * view.ttft_s:.0f} ms",
    )


def _number(value: int | None) -> str:
    return _ABSENT if value is None else str(value)


def _up(view: TargetView) -> str:
    if view.credential == "missing":
        return "no credential"
    return f"{view.parts_up} of {view.parts_probed}" if view.parts_probed else _ABSENT
