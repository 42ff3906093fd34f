"""`tidegate key`: virtual keys."""

from pathlib import Path

import click
from msgspec import UNSET

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, Usd, moment, pairs, table
from tidegate.control.shapes import (
    KeyList,
    KeyMade,
    KeyRevoked,
    KeyView,
    NewKey,
    NewKeyLimits,
    PepperMade,
    Rotation,
)
from tidegate.core import clock
from tidegate.core.key import id_of, is_id
from tidegate.core.priority import PRIORITIES

_PAGE = 500
_HEAD = ("ID", "STATE", "NAME", "TEAM", "ROUTES", "CREATED", "EXPIRES", "PEPPER")


@click.group(name="key")
def plug() -> None:
    """Make, list, revoke and rotate the keys with which applications call.

    Keys are kept as digests under a secret, the pepper. To change it: `tidegate key pepper`, then
    `tidegate key rotate ID --overlap 7d` for each live key that `tidegate key list` shows under
    the old one, and when there is none left, delete the old one's file in the state directory.
    """


@plug.command()
@click.option("--name", required=True, help="What the key is for, in your words.")
@click.option("--team", help="Who pays. Default: the plan's.")
@click.option("--customer", help="The team's customer whose requests these are.")
@click.option("--environment", help="Such as production or staging. Default: the plan's.")
@click.option(
    "--purpose",
    default="production",
    show_default=True,
    help="Noted on receipts. Of `eval` nothing counts for an objective or a release.",
)
@click.option(
    "--priority",
    type=click.Choice(PRIORITIES),
    default="standard",
    show_default=True,
    help="The highest class that its requests may have.",
)
@click.option(
    "--route", "routes", multiple=True, help="A route it may call. May be repeated. Default: all."
)
@click.option("--expires", type=Duration(), help="Its life, such as 90d. Default: the plan's.")
@click.option("--never-expires", is_flag=True, help="It does not expire, whatever the plan says.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Noted on its receipts. May be repeated.",
)
@click.option("--budget", type=Usd(), help="What it alone may spend, in dollars.")
@click.option("--budget-per", help="In what time: `month`, `lifetime` and the like, or 30d.")
@click.option(
    "--budget-alert",
    "budget_alerts",
    multiple=True,
    type=int,
    help="Percent of it that alerts. Repeatable. Default: 50, 80 and 100.",
)
@click.option("--budget-soft", is_flag=True, help="It only alerts and refuses nothing.")
@click.option("--budget-degrade", is_flag=True, help="Have the ladders of routes look at it.")
@click.option("--rpm", type=click.IntRange(1), help="Requests a minute, of it alone.")
@click.option("--tpm", type=click.IntRange(1), help="Tokens a minute, of it alone.")
@click.option("--parallel", type=click.IntRange(1), help="Requests at once, of it alone.")
@control_options
def create(state: Path | None, control: str | None, **given: object) -> None:
    """Make a key and print it. It is shown this once."""
    made = open_control(state, control).post("/api/keys", KeyMade, _wanted(given))
    _show_made(made)


@plug.command(name="list")
@click.option("--team", help="Only this team's.")
@click.option("--name", "name_prefix", help="Only those whose name begins so.")
@click.option("--revoked", is_flag=True, help="Revoked ones too.")
@control_options
def list_(
    state: Path | None,
    control: str | None,
    team: str | None,
    name_prefix: str | None,
    revoked: bool,
) -> None:
    """List keys, never the secrets."""
    client = open_control(state, control)
    found: list[KeyView] = []
    after: str | None = None
    while True:
        page = client.get(
            "/api/keys",
            KeyList,
            team=team,
            name_prefix=name_prefix,
            revoked="true" if revoked else "false",
            after=after,
            limit=_PAGE,
        )
        found += page.keys
        after = page.after
        if after is None:
            break
    rows = [_row(key) for key in found]
    click.echo(
        table(("ID", "STATE", "NAME", "TEAM", "ROUTES", "CREATED", "EXPIRES", "PEPPER"), rows)
    )


@plug.command()
@click.argument("key_id", metavar="ID")
@control_options
def revoke(state: Path | None, control: str | None, key_id: str) -> None:
    """End the key ID (the 8 letters after `sk-tg-`) at once, on every gateway."""
    answer = open_control(state, control).post(f"/api/keys/{_id(key_id)}/revoke", KeyRevoked)
    click.echo(f"Revoked {answer.record.id} ({answer.record.name}).")
    _tell_waiting(answer.waiting_for)


@plug.command()
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap", type=Duration(), default=0, help="How long the old one still works, such as 1h."
)
@control_options
def rotate(state: Path | None, control: str | None, key_id: str, overlap: float) -> None:
    """Make a new key with the grants of ID. The old one ends at once, or after --overlap."""
    path = f"/api/keys/{_id(key_id)}/rotate"
    made = open_control(state, control).post(path, KeyMade, Rotation(overlap_s=overlap))
    _show_made(made)


@plug.command()
@control_options
def pepper(state: Path | None, control: str | None) -> None:
    """Make a new pepper for keys made from now on. Keys made before go on under the old one."""
    made = open_control(state, control).post("/api/peppers", PepperMade)
    click.echo(f"Made {made.file}; keys made from now on are under pepper {made.version}.")


def _wanted(given: dict[str, object]) -> NewKey:
    expires_at_s: object = UNSET
    if given["never_expires"]:
        expires_at_s = None
    elif isinstance(given["expires"], float):
        expires_at_s = clock.wall_s() + given["expires"]
    attributes, routes, budget = given["attributes"], given["routes"], given["budget"]
    limits: dict[str, object] = {
        "budget": None if budget is None else f"{budget:f}",
        "budget_per": given["budget_per"],
        "budget_alerts": given["budget_alerts"] or None,
        "requests_per_minute": given["rpm"],
        "tokens_per_minute": given["tpm"],
        "max_parallel_requests": given["parallel"],
        "budget_hard": False if given["budget_soft"] else None,
        "budget_degrade": given["budget_degrade"] or None,
    }
    limits = {name: value for name, value in limits.items() if value is not None}
    assert isinstance(attributes, tuple) and isinstance(routes, tuple)  # noqa: S101
    wanted: dict[str, object] = {
        "name": given["name"],
        "team": given["team"],
        "customer": given["customer"],
        "environment": given["environment"],
        "purpose": given["purpose"],
        "priority": given["priority"],
        "routes": routes or None,
        "attributes": pairs(attributes, "--attribute"),
        "expires_at_s": expires_at_s,
        "limits": NewKeyLimits(**limits) if limits else None,  # type: ignore[arg-type]
    }
    return NewKey(**wanted)  # type: ignore[arg-type]  # control checks every field


def _show_made(made: KeyMade) -> None:
    click.echo(made.key)
    record = made.record
    replaced = f", in place of {made.replaces}" if made.replaces else ""
    click.echo(
        f"Keep it: it is not shown again. Id {record.id}{replaced}, team {record.team}, "
        f"routes {', '.join(record.routes)}, expires {moment(record.expires_at_s, 'never')}.",
        err=True,
    )
    _tell_waiting(made.waiting_for)


def _tell_waiting(gateways: list[str]) -> None:
    if gateways:
        names = ", ".join(gateways)
        click.echo(f"Not yet obeyed by {names}; control keeps telling it.", err=True)


def _row(key: KeyView) -> tuple[str, ...]:
    return (
        key.id,
        key.state,
        key.name,
        key.team,
        ",".join(key.routes),
        moment(key.created_at_s),
        moment(key.expires_at_s, "never"),
        str(key.pepper_version),
    )


def _id(text: str) -> str:
    """The id, also when the whole key was given: that is what people have at hand."""
    key_id = id_of(text.encode()) or text.removeprefix("sk-tg-").partition("_")[0]
    if not (is_id(key_id) or (key_id.isascii() and key_id.isalnum())):
        message = "a key's id is the 8 letters after `sk-tg-`, or ext-... of an imported one"
        raise click.BadParameter(message, param_hint="ID")
    return key_id
