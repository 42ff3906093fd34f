"""`tidegate plan`: what a plan file compiles to, why, and how it differs from what is served."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from tidegate.cli._client import control_options, open_control
from tidegate.cli._plan_file import plan_file
from tidegate.cli._words import moment
from tidegate.cli.check import print_findings
from tidegate.config.diff import differences
from tidegate.config.explain import explain
from tidegate.config.load import DEFAULT_FILE, Compiled, compile_file, load
from tidegate.config.show import deadlines_text, limit_texts, short_price_text, table, url_text
from tidegate.control.shapes import PlanReloaded
from tidegate.control.shapes_drift import DriftView, MovedView, WriteBack
from tidegate.core import clock
from tidegate.core.declared import Declared
from tidegate.core.layout import Layout
from tidegate.core.plan import Limit, Plan
from tidegate.core.words import nearest, quoted

_SERVED_SUFFIX = ".msgpack"
_HEAD = ("ROUTE", "RELEASE", "TARGET", "SERVED BY", "USD/MTOK IN / OUT", "DEADLINES s", "REPLICAS")
_MOVED_HEAD = ("MEMBER", "THE FILE SAYS", "IT IS", "SINCE", "BY", "WHY")
_LIMITS_HEAD = ("LIMIT", "KIND", "ALLOWS", "FOR EACH", "ONLY", "BEYOND IT")


@click.group("plan")
def plug() -> None:
    """Show, explain and compare plans, offline, on files; and have one read again."""


@plug.command("show")
@plan_file
@click.option("--json", "as_json", is_flag=True, help="The compiled plan as JSON.")
def show(file: Path, as_json: bool) -> None:
    """What requests would obey: route, release, target, price, deadlines, replicas; limits.

    Deadlines are connect / first token / gap / total, in seconds.
    """
    plan, _ = _compiled(file)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(plan), indent=2).decode())
        return
    rows = [row for name in sorted(plan.routes) for row in _route_rows(plan, name)]
    click.echo(table(_HEAD, rows))
    if plan.limits:
        click.echo(table(_LIMITS_HEAD, [_limit_row(limit) for limit in plan.limits]))
    if plan.callers:
        rows = [
            (one.name, one.issuer, ", ".join(one.audiences), str(len(one.grants)))
            for one in plan.callers
        ]
        click.echo(table(("CALLERS", "ISSUER", "FOR", "GRANTS"), rows))
    click.echo(f"digest {plan.digest}")


def _limit_row(limit: Limit) -> tuple[str, ...]:
    return limit.name, limit.kind, *limit_texts(limit)


def _route_rows(plan: Plan, name: str) -> list[tuple[str, ...]]:
    """One line for the route, and one more for each replica and each target after the first."""
    route = plan.routes[name]
    rows: list[tuple[str, ...]] = []
    for target in route.targets:
        urls = [url_text(r) for r in target.replicas]
        rows.append(
            (
                "" if rows else name,
                "" if rows else route.release.name.rpartition("@")[2],
                target.name,
                f"{target.provider}/{target.model}",
                short_price_text(target.price),
                deadlines_text(target.deadlines),
                urls[0],
            )
        )
        rows += [("",) * (len(_HEAD) - 1) + (url,) for url in urls[1:]]
    return rows


@plug.command("explain")
@click.argument("route")
@plan_file
def explain_route(route: str, file: Path) -> None:
    """Where each value that ROUTE obeys comes from."""
    plan, declared = _compiled(file)
    if route not in plan.routes:
        _stop(f"{file}: there is no route {quoted(route)}{nearest(route, plan.routes)}")
    origins = load(file, os.environ).origins
    rows = explain(route, plan, declared, origins, str(file))
    click.echo(table(("WHAT", "VALUE", "FROM"), [tuple(row) for row in rows]))


@plug.command("diff")
@click.argument("before", required=False, type=click.Path(path_type=Path))
@click.argument("after", required=False, type=click.Path(path_type=Path))
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="State directory of the served plan. Default: the plan file's `storage.dir`.",
)
def diff(before: Path | None, after: Path | None, state: Path | None) -> None:
    """How two plans differ; exit 0 when they do not, 1 when they do, 2 when one is no plan.

    Without arguments: from the plan that is served to ./tidegate.yaml. With one: from the plan
    that is served to that file. Each may be a plan file or a compiled plan (`.msgpack`).
    """
    if before is not None and after is not None:
        old, new = _either(before), _either(after)
    else:
        new, declared = _compiled(before or Path(DEFAULT_FILE))
        old = _served(Layout(state or Path(declared.storage.dir)).plan)
    found = differences(old, new)
    for difference in found:
        click.echo(str(difference))
    sys.exit(1 if found else 0)


@plug.command("reload")
@control_options
def reload(state: Path | None, control: str | None) -> None:
    """Have control read the plan file and the credentials that it names by file again, now.

    Control watches them by itself; this also says what came of it.
    """
    answer = open_control(state, control).post("/api/plan/reload", PlanReloaded)
    click.echo(f"{answer.outcome}: version {answer.version}")
    if answer.waiting_for:
        click.echo(f"not yet obeyed by {', '.join(answer.waiting_for)}", err=True)


@plug.command("drift")
@control_options
def drift(state: Path | None, control: str | None) -> None:
    """Where what is served is not what the plan file says: what, who, why; exit 1 where it is not.

    Revisions stand until the file says the same, or something else; changes end by themselves.
    """
    told = open_control(state, control).get("/api/plan/drift", DriftView)
    if told.moved:
        rows = [
            (f"routes.{it.route}.{it.member}", it.file, it.served, *_by(it), it.reason)
            for it in told.moved
        ]
        click.echo(table(_MOVED_HEAD, _plain(rows)))
    for it in told.overtaken:
        of = it.rollout or it.route
        click.echo(f"{it.kind} {of} of {moment(it.at_s)} says nothing any more: {it.why}")
    if told.changes:
        held = [
            (one.lever, one.scope or "everything", f"{one.value:g}", one.author, one.reason)
            for one in told.changes
        ]
        click.echo(table(("CHANGE OF", "SCOPE", "AT", "BY", "WHY"), _plain(held)))
    if not (told.moved or told.changes):
        click.echo(f"What is served is what {told.file} says.")
    sys.exit(1 if told.moved or told.changes else 0)


def _by(moved: MovedView) -> tuple[str, str]:
    return f"{moved.kind} {moved.rollout or ''}".strip(), f"{moved.author} {moment(moved.at_s)}"


def _plain(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    # What people wrote as a reason must not steer the terminal.
    return [tuple("".join(c if c.isprintable() else "?" for c in it) for it in row) for row in rows]


@plug.command("write-back")
@control_options
def write_back(state: Path | None, control: str | None) -> None:
    """Print the patch by which the plan file says what revisions have made of its routes.

    For example: tidegate plan write-back | patch -p0. Comments and everything else stay as they
    are. Once control has read the file again, there is no drift any more.
    """
    told = open_control(state, control).get("/api/plan/write-back", WriteBack)
    click.echo(told.patch, nl=False)
    for name in told.by_hand:
        click.echo(f"{name} has to be written by hand: it is no plain value in the file", err=True)
    if not told.patch and not told.by_hand:
        click.echo("nothing is to be written back", err=True)
    sys.exit(2 if told.by_hand else 0)


def _either(path: Path) -> Plan:
    return _served(path) if path.suffix == _SERVED_SUFFIX else _compiled(path)[0]


def _served(path: Path) -> Plan:
    """The compiled plan at `path`; stops with one line when there is none."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Plan)
    except FileNotFoundError:
        _stop(f"{path}: no plan is served from here yet; name two plan files to compare them")
    except (OSError, msgspec.MsgspecError) as error:
        _stop(f"{path}: this is no compiled plan: {error}")


def _compiled(file: Path) -> tuple[Plan, Declared]:
    """The file's plan; stops with every problem when it has none."""
    compiled: Compiled = compile_file(file, os.environ, 0, clock.wall_s())
    print_findings(compiled)
    if compiled.plan is None or compiled.declared is None:
        sys.exit(2)
    return compiled.plan, compiled.declared


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(2)
