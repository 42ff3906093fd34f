"""`tidegate team`: teams, what they may do, and who leads them."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET, Struct, UnsetType

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, Usd, table

_HEAD = ("TEAM", "ALIAS", "LEAD", "ROUTES", "BUDGET", "RPM", "TPM", "PARALLEL")
_LIMITS = {
    "budget": "max_budget",
    "rpm": "rpm_limit",
    "tpm": "tpm_limit",
    "parallel": "max_parallel_requests",
}


class Team(Struct, frozen=True):
    """A team as control tells it. `models` are routes, none is every one; None is no limit."""

    team_id: str
    team_alias: str
    models: list[str] = []
    lead: str | None = None
    max_budget: Decimal | None = None
    budget_duration: str | None = None
    rpm_limit: int | None = None
    tpm_limit: int | None = None
    max_parallel_requests: int | None = None
    spend: Decimal | None = None
    waiting_for: list[str] = []


class TeamKey(Struct, frozen=True):
    token: str
    key_alias: str


class TeamTold(Struct, frozen=True):
    team_info: Team
    keys: list[TeamKey]


class TeamsEnded(Struct, frozen=True):
    revoked_keys: list[str]
    waiting_for: list[str]


class Led(Struct, frozen=True):
    token: str | None


class Asked(Struct):
    """What is asked for in a team; what is UNSET is not sent, None takes a limit away."""

    team_id: str
    team_alias: str | UnsetType = UNSET
    models: list[str] | UnsetType = UNSET
    max_budget: Decimal | UnsetType | None = UNSET
    budget_duration: str | UnsetType = UNSET
    rpm_limit: int | UnsetType | None = UNSET
    tpm_limit: int | UnsetType | None = UNSET
    max_parallel_requests: int | UnsetType | None = UNSET


class Lead(Struct):
    lead: str | None


class Ended(Struct):
    team_ids: list[str]


def _limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--alias", help="Its name for people. Default: ID."),
        click.option(
            "--route", "routes", multiple=True, help="What its keys may call. Repeatable."
        ),
        click.option("--budget", type=Usd(), help="What it may spend, in dollars."),
        click.option("--budget-per", help="`month` and the like, or 30d. Default: never anew."),
        click.option("--rpm", type=click.IntRange(1), help="Requests a minute."),
        click.option("--tpm", type=click.IntRange(1), help="Tokens a minute."),
        click.option("--parallel", type=click.IntRange(1), help="Requests at once."),
    ):
        command = option(command)
    return command


@click.group(name="team")
def plug() -> None:
    """Make, list, change and delete teams, and hand them to their leads.

    Keys name a team by its ID. A team's lead sees and serves that team alone.
    """


@plug.command(name="list")
@control_options
def list_(state: Path | None, control: str | None) -> None:
    """List teams with their limits and leads."""
    found = open_control(state, control).get("/team/list", list[Team])
    click.echo(table(_HEAD, [_row(team) for team in found]))


@plug.command()
@click.argument("team_id", metavar="ID")
@control_options
def show(state: Path | None, control: str | None, team_id: str) -> None:
    """Show the team ID, what it has spent in all, and its live keys."""
    told = open_control(state, control).get("/team/info", TeamTold, team_id=team_id)
    click.echo(table((*_HEAD, "SPENT"), [(*_row(told.team_info), _usd(told.team_info.spend))]))
    if told.keys:
        rows = [(key.token, _plain(key.key_alias)) for key in told.keys]
        click.echo("\n" + table(("KEY", "NAME"), rows))


@plug.command()
@click.argument("team_id", metavar="ID")
@_limit_options
@control_options
def create(state: Path | None, control: str | None, team_id: str, **given: Any) -> None:
    """Make the team ID."""
    team = open_control(state, control).post("/team/new", Team, _asked(team_id, given))
    _tell(f"Made {team.team_id}.", team.waiting_for)


@plug.command()
@click.argument("team_id", metavar="ID")
@click.option(
    "--without", multiple=True, type=click.Choice(list(_LIMITS)), help="A limit to take away."
)
@_limit_options
@control_options
def update(state: Path | None, control: str | None, team_id: str, **given: Any) -> None:
    """Change what is said of the team ID, and leave the rest."""
    asked = _asked(team_id, given)
    for name in given["without"]:
        if given[name] is not None:
            raise click.BadParameter(f"--{name} is given too", param_hint="--without")
        setattr(asked, _LIMITS[name], None)
    team = open_control(state, control).post("/team/update", Team, asked)
    _tell(f"Changed {team.team_id}.", team.waiting_for)


@plug.command()
@click.argument("team_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@control_options
def delete(state: Path | None, control: str | None, team_id: str, yes: bool) -> None:
    """Delete the team ID with its limits and budget, and revoke its keys."""
    if not yes:
        click.confirm(f"Revoke every key of {_plain(team_id)}?", abort=True)
    ended = open_control(state, control).post("/team/delete", TeamsEnded, Ended([team_id]))
    count = len(ended.revoked_keys)
    keys = f"{count} key{'' if count == 1 else 's'} revoked"
    _tell(f"Deleted {_plain(team_id)}; {keys}.", ended.waiting_for)


@plug.command()
@click.argument("team_id", metavar="ID")
@click.argument("name", required=False)
@click.option("--none", "nobody", is_flag=True, help="Nobody leads it: the token ends.")
@control_options
def lead(
    state: Path | None, control: str | None, team_id: str, name: str | None, nobody: bool
) -> None:
    """Hand the team ID to its lead NAME and print the token, which is shown this once.

    The token of who led it before ends.
    """
    if (name is None) is not nobody:
        raise click.UsageError("say who leads it: NAME, or --none")
    path = f"/api/teams/{_id(team_id)}/lead"
    led = open_control(state, control).post(path, Led, Lead(name))
    if led.token is None:
        click.echo(f"Nobody leads {team_id}.")
        return
    click.echo(led.token)
    click.echo(f"Keep it: it is not shown again. It opens control for {team_id} alone.", err=True)


def _asked(team_id: str, given: dict[str, Any]) -> Asked:
    asked = Asked(team_id)
    if given["alias"] is not None:
        asked.team_alias = given["alias"]
    if given["routes"]:
        asked.models = list(given["routes"])
    if given["budget_per"] is not None:
        asked.budget_duration = _period(given["budget_per"])
    for name, field in _LIMITS.items():
        if given[name] is not None:
            setattr(asked, field, given[name])
    return asked


def _period(text: str) -> str:
    """A duration rolls on here as everywhere; to LiteLLM's paths `30d` would be a month."""
    return text if text.isalpha() else f"{Duration().convert(text, None, None):.0f}s"


def _row(team: Team) -> tuple[str, ...]:
    budget = "-"
    if team.max_budget is not None:
        per = f" per {team.budget_duration}" if team.budget_duration else " in all"
        budget = f"{_usd(team.max_budget)}{per}"
    limits = (team.rpm_limit, team.tpm_limit, team.max_parallel_requests)
    return (
        *(_plain(team.team_id), _plain(team.team_alias), _plain(team.lead or "-")),
        *(_plain(",".join(team.models)) or "all", budget),
        *("-" if limit is None else str(limit) for limit in limits),
    )


def _usd(amount: Decimal | None) -> str:
    if amount is None:
        return "-"
    whole, _, rest = f"{amount:f}".partition(".")
    return f"${whole}.{rest.ljust(2, '0')}"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _id(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum():
        raise click.BadParameter("a team's id is letters, digits, `_` and `-`", param_hint="ID")
    return text


def _tell(what: str, waiting_for: list[str]) -> None:
    click.echo(what)
    if waiting_for:
        names = ", ".join(waiting_for)
        click.echo(f"Not yet obeyed by {names}; control keeps telling it.", err=True)
