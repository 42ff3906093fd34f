"""`tidegate import`: what another gateway was told, as a plan file; its keys, teams, budgets and
what was spent, into a running Tidegate."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import click
from msgspec.structs import replace

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import table
from tidegate.cli._written_plan import write_plan
from tidegate.config.litellm_file import convert_litellm
from tidegate.config.litellm_house import Asked, moved_house
from tidegate.config.litellm_many import SHARED, too_many, without_budgets
from tidegate.config.litellm_models import Known
from tidegate.config.load import compile_file
from tidegate.config.moving import Finding, Findings
from tidegate.config.portkey import convert_portkey
from tidegate.config.published import published
from tidegate.config.their_file import FileRefused
from tidegate.config.written_plan import Converted
from tidegate.control.shapes import PlanView
from tidegate.core import clock, plugs
from tidegate.core.moved import Moved, MovedIn
from tidegate.core.secret import Secret
from tidegate.stores.errors import StoreError

_HEAD = ("", "THERE", "HERE", "")
_FATES = {"left": "not carried", "changed": "differs", "carried": "carried"}
_NAMED = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ADDRESS = re.compile(r"base_url: ['\"]?\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MOST_NAMED = 5
_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
_out = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PLAN",
    help="Write the plan file here, and secrets that FILE holds into files below secrets/ beside "
    "it. Default: nothing is written.",
)
_all = click.option(
    "--all",
    "show_all",
    is_flag=True,
    help="List what is carried as well, and of whom all of it is said.",
)


@click.group("import")
def plug() -> None:
    """Move in from another gateway. Whatever is not carried is named, with what to do instead.

    Nothing is changed without --out or --apply, and what is applied is applied whole.
    """


@plug.command("litellm")
@_file
@_out
@click.option(
    "--db",
    envvar="LITELLM_DATABASE_URL",
    metavar="URL",
    help="Its PostgreSQL database, read in one snapshot: keys, teams, budgets and spend come "
    "into the control that runs here. Better in the variable LITELLM_DATABASE_URL: it holds a "
    "password.",
)
@click.option("--apply", is_flag=True, help="Apply what of --db is told without it.")
@click.option(
    "--keep-ours", is_flag=True, help="Leave as it is what was changed here since an import."
)
@click.option(
    "--without-budgets-of",
    multiple=True,
    type=click.Choice(sorted(SHARED)),
    help="Leave the budgets of each of these, and import what each has spent: a budget by scope in "
    "the plan stands for them. For houses with more than 1,000.",
)
@_all
@control_options
def litellm(
    file: Path, out: Path | None, state: Path | None, control: str | None, **given: object
) -> None:
    """Import LiteLLM's config.yaml FILE, and with --db its keys, which go on as they are.

    Exit 1, and nothing is written or applied, where the plan is refused by its check, or something
    stands in the way of an import.
    """
    try:
        converted = convert_litellm(
            file, Known(plugs.names("providers"), published(clock.wall_s()))
        )
    except FileRefused as error:
        raise click.ClickException(str(error)) from error
    if given["apply"] and given["db"] is None:
        raise click.UsageError("--apply belongs to --db: a plan is written with --out")
    if given["db"] is None or out is not None or converted.has_routes:
        _tell_plan(converted, out, show_all=bool(given["show_all"]))
    else:
        click.echo("Its configuration has no models: those of the plan that is served are meant.")
    if given["db"] is None:
        return
    room = open_control(state, control)
    view = room.get("/api/plan", PlanView)
    found = Findings()
    asked = Asked(frozenset(view.routes), converted.groups, clock.wall_s())
    moved = moved_house(_tables(str(given["db"])), asked, found)
    moved = without_budgets(moved, cast(Sequence[str], given["without_budgets_of"]), found)
    moved = replace(moved, apply=bool(given["apply"]), keep_ours=bool(given["keep_ours"]))
    many = too_many(moved)
    if many is not None:
        raise click.ClickException(f"nothing is applied: {many}")
    _tell_findings("Its database", found.all(), show_all=bool(given["show_all"]))
    _tell_moved(moved, room.post("/api/imports", MovedIn, moved))


@plug.command("portkey")
@_file
@click.option("--route", default="default", show_default=True, help="What applications call it.")
@_out
@_all
def portkey(file: Path, route: str, out: Path | None, show_all: bool) -> None:
    """Import a Portkey config JSON FILE: its strategy, targets, retries, cache and parameters."""
    try:
        converted = convert_portkey(file, plugs.names("providers"), route)
    except FileRefused as error:
        raise click.ClickException(str(error)) from error
    _tell_plan(converted, out, show_all=show_all)


def _tables(url: str) -> Mapping[str, list[dict[str, object]]]:
    try:
        found: Mapping[str, list[dict[str, object]]] = plugs.load("stores", "litellm_tables")(
            Secret(url)
        )
    except StoreError as error:
        raise click.ClickException(f"its database cannot be read: {error}") from error
    return found


def _tell_plan(converted: Converted, out: Path | None, *, show_all: bool) -> None:
    """Exits where the plan may not be served, as far as that can be told here."""
    _tell_findings("Its configuration", converted.findings, show_all=show_all)
    if not converted.has_routes:
        click.echo("error: the file has no model that could be served here: see above", err=True)
        click.echo("Nothing is written or applied.", err=True)
        sys.exit(1)
    unset = _unset(converted.plan)
    environ = {**os.environ, **unset}
    source = converted.plan.encode()
    problems = compile_file(source, environ, 0, clock.wall_s()).problems
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        click.echo("Nothing is written or applied: the plan would be refused.", err=True)
        sys.exit(1)
    if unset:
        click.echo(f"Set before it is served: {', '.join(sorted(unset))}.")
    if out is None:
        click.echo("Nothing is written; write the plan with --out tidegate.yaml.")
        return
    write_plan(converted, out)
    secrets = len(converted.secrets)
    more = f" and {secrets} secrets beside it" if secrets else ""
    click.echo(f"Wrote {out}{more}. Read it, then run `tidegate check {out}`.")


def _unset(plan: str) -> dict[str, str]:
    """Variables that the plan names and that are not set here, with something to check it by."""
    names = set(_NAMED.findall(plan)) - os.environ.keys()
    addresses = set(_ADDRESS.findall(plan))
    return {name: "http://unset.invalid/v1" if name in addresses else "unset" for name in names}


def _tell_findings(what: str, findings: list[Finding], *, show_all: bool) -> None:
    counts = {fate: sum(it.fate == fate for it in findings) for fate in _FATES}
    told = ", ".join(f"{count} {_FATES[fate]}" for fate, count in counts.items())
    click.echo(f"{what}: {told}.")
    rows = [
        (_FATES[it.fate], _times(it), it.ours or "-", _said(it, every=show_all))
        for it in findings
        if show_all or it.fate != "carried"
    ]
    if rows:
        click.echo(table(_HEAD, rows))


def _said(one: Finding, *, every: bool) -> str:
    """What is said, and of whom: the first few of them, or all."""
    if one.fate == "carried" or not one.whose:
        return one.said
    named = one.whose if every else one.whose[:_MOST_NAMED]
    more = len(one.whose) - len(named)
    return f"{one.said}: {', '.join(named)}" + (f" and {more} more (--all)" if more else "")


def _times(one: Finding) -> str:
    text = "".join(c if c.isprintable() else "?" for c in one.theirs)
    return f"{text} ({one.count})" if one.count > 1 else text


def _tell_moved(moved: Moved, told: MovedIn) -> None:
    head = ("", "NEW", "CHANGED", "AS IT WAS", "LEFT AS HERE")
    rows = [
        (it.kind, str(it.new), str(it.changed), str(it.same), str(it.kept)) for it in told.kinds
    ]
    click.echo(table(head, rows))
    for key_id in told.gone:
        click.echo(f"Gone there, live here: {key_id}; end it with `tidegate key revoke {key_id}`.")
    for conflict in told.conflicts:
        click.echo(f"conflict: {conflict}", err=True)
    if told.applied:
        click.echo("Applied.")
    elif not told.conflicts:
        click.echo("Nothing is applied; apply it with --apply.")
    if told.waiting_for:
        names = ", ".join(told.waiting_for)
        click.echo(f"Not yet obeyed by {names}; control keeps telling it.", err=True)
    if told.conflicts:
        sys.exit(1)
