"""`tidegate budget`: what may be spent, and what is."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, Usd, moment, pairs, table
from tidegate.control.shapes_budgets import (
    BudgetChanged,
    BudgetExplained,
    BudgetList,
    BudgetView,
    EndBudget,
    NewBudget,
    NewRaise,
    ScopeUse,
)
from tidegate.core import clock
from tidegate.core.key import is_id
from tidegate.core.key_limits import budgeted_key

_HEAD = ("BUDGET", "SCOPE", "USED", "ALLOWED", "FORECAST", "PER", "STATE", "ALERT")


@click.group(name="budget")
def plug() -> None:
    """List, explain, set, raise and end budgets.

    Budgets of the plan file are changed there and can be raised here for a while. The budget that a
    key has of its own is called key:ID, as in `tidegate budget explain key:Ab3dE6gH`. Amounts are
    dollars, exact to nine decimals.
    """


@plug.command(name="list")
@click.option(
    "--keys",
    type=click.IntRange(0, 1000),
    default=20,
    show_default=True,
    help="How many budgets of keys, first those nearest to their end.",
)
@control_options
def list_(state: Path | None, control: str | None, keys: int) -> None:
    """List budgets with the values of their scope that spent most; then those of single keys.

    FORECAST is what will be spent when the period ends, at the pace so far.
    """
    found = open_control(state, control).get("/api/budgets", BudgetList, keys=keys)
    click.echo(table(_HEAD, [row for budget in found.budgets for row in _rows(budget)]))
    if found.keys_left_out:
        click.echo(f"{found.keys_left_out} more keys have a budget of their own; see --keys.")


@plug.command()
@click.argument("name")
@control_options
def explain(state: Path | None, control: str | None, name: str) -> None:
    """Say what counts in the budget NAME, who spent it, when it resets and what raises it."""
    told = open_control(state, control).get(f"/api/budgets/{_named(name)}", BudgetExplained)
    budget = told.budget
    never = "never" if budget.per == "lifetime" else "it rolls on"
    resets = moment(budget.resets_at_s, never)
    beyond = "what would pass it is refused" if budget.hard else "it only alerts"
    if budget.degrade:
        beyond = f"ladders look at it; {beyond}"
    click.echo(f"{told.counts}\n")
    click.echo(
        f"allowed  {_usd(budget.allowed_usd)} ({_usd(budget.amount_usd)} and raises); {beyond}"
    )
    click.echo(f"resets   {resets}")
    by = "the key" if budget.holder else "the plan file"
    click.echo(f"set by   {budget.author or by}")
    if budget.holder:
        click.echo(f"key      {_plain(budget.holder)}")
    alerts = ", ".join(f"{percent} %" for percent in budget.alerts) or "none"
    click.echo(f"alerts   {alerts}\n")
    rows = [_use(one) for one in budget.highest]
    click.echo(table(("SCOPE", "USED", "ALLOWED", "LEFT", "SHARE", "FORECAST"), rows))
    for text in _granted_and_told(told):
        click.echo(f"\n{text}")


@plug.command(name="set")
@click.argument("name")
@click.option("--amount", type=Usd(), required=True, help="How much, in dollars.")
@click.option("--per", required=True, help="`month`, `lifetime` and the like, or 30d.")
@click.option("--time-zone", help="Where the calendar's periods begin. Default: UTC.")
@click.option("--scope", "scopes", multiple=True, help="What has one of its own each. Repeatable.")
@click.option("--only", multiple=True, metavar="NAME=VALUE", help="Whose requests. Repeatable.")
@click.option("--soft", is_flag=True, help="It only alerts and refuses nothing.")
@click.option("--degrade", is_flag=True, help="Have the ladders of routes look at it.")
@click.option("--alert", "alerts", multiple=True, type=int, help="Percent that alerts. Repeatable.")
@control_options
def set_(state: Path | None, control: str | None, **given: object) -> None:
    """Set the budget NAME from now on, in place of one that was set before."""
    changed = open_control(state, control).post("/api/budgets", BudgetChanged, _wanted(given))
    _tell(changed, f"Set {changed.name}")


@plug.command(name="raise")
@click.argument("name")
@click.option("--by", "extra", type=Usd(), required=True, help="How much more, in dollars.")
@click.option("--for", "lasts_s", type=Duration(), required=True, help="How long, such as 3d.")
@click.option("--reason", required=True, help="Why.")
@click.option("--of", multiple=True, metavar="NAME=VALUE", help="Whose, as in team=growth.")
@click.option("--every", is_flag=True, help="Of every value of its scope.")
@click.option("--approver", help="Who approved it. Default: whose token it is.")
@control_options
def raise_(state: Path | None, control: str | None, name: str, **given: object) -> None:
    """Raise the budget NAME for a while. The raise ends by itself, on every gateway.

    Of a budget that has one for each team, key or the like, say whose: --of team=growth.
    """
    extra, lasts_s, approver = given["extra"], given["lasts_s"], given["approver"]
    assert isinstance(extra, Decimal) and isinstance(lasts_s, float)  # noqa: S101
    until_s = clock.wall_s() + lasts_s
    approved_by = None if approver is None else str(approver)
    of = given["of"]
    assert isinstance(of, tuple)  # noqa: S101
    whose, every = pairs(of, "--of") or None, bool(given["every"])
    asked = NewRaise(extra, until_s, str(given["reason"]), approved_by, whose, every)
    path = f"/api/budgets/{_named(name)}/raise"
    changed = open_control(state, control).post(path, BudgetChanged, asked)
    _tell(changed, f"Raised {changed.name} until {moment(asked.until_s)}, raise {changed.raise_id}")


@plug.command()
@click.argument("name")
@click.option("--raise", "raise_id", type=int, help="Only this raise, by its number.")
@control_options
def end(state: Path | None, control: str | None, name: str, raise_id: int | None) -> None:
    """End the budget NAME that was set here, or only one raise of it."""
    path = f"/api/budgets/{_named(name)}/end"
    changed = open_control(state, control).post(path, BudgetChanged, EndBudget(raise_id))
    what = changed.name if raise_id is None else f"raise {raise_id} of {changed.name}"
    _tell(changed, f"Ended {what}")


def _wanted(given: dict[str, object]) -> NewBudget:
    only, scopes, alerts = given["only"], given["scopes"], given["alerts"]
    assert isinstance(only, tuple) and isinstance(scopes, tuple)  # noqa: S101
    assert isinstance(alerts, tuple)  # noqa: S101
    wanted: dict[str, object] = {
        "name": given["name"],
        "amount": given["amount"],
        "per": given["per"],
        "time_zone": given["time_zone"],
        "scope": list(scopes) or None,
        "only": pairs(only, "--only") or None,
        "hard": False if given["soft"] else None,
        "degrade": True if given["degrade"] else None,
        "alerts": list(alerts) or None,
    }
    return NewBudget(**wanted)  # type: ignore[arg-type]  # control checks every field


def _rows(budget: BudgetView) -> list[tuple[str, ...]]:
    """A line for each value that is shown; the budget is named in the first."""
    alert = budget.newest_alert
    told = "-" if alert is None else f"{alert.percent} % {alert.measure} {moment(alert.at_s)}"
    first = (budget.name, _usd(budget.allowed_usd), budget.per, budget.state, told)
    uses: list[ScopeUse | None] = [*budget.highest] or [None]
    rows: list[tuple[str, ...]] = []
    for number, use in enumerate(uses):
        name, allowed, per, state, alerted = first if not number else ("",) * 5
        scope = "-" if use is None else _plain(budget.holder or use.scope)
        used = "$0.00" if use is None else _usd(use.used_usd)
        allowed = allowed if use is None else _usd(use.allowed_usd)
        rows.append((name, scope, used, allowed, _forecast(use), per, state, alerted))
    return rows


def _granted_and_told(told: BudgetExplained) -> Iterator[str]:
    """Tables of who spent it, of its raises and of its alerts, as far as there are any."""
    if told.spenders:
        spent = [(one.dimension, _plain(one.value), _usd(one.used_usd)) for one in told.spenders]
        yield table(("SPENT BY", "", "USED"), spent)
    if told.raises:
        whole = "every value" if told.budget.scope else "everything"
        whole = "the key" if told.budget.holder else whole
        raises = [
            (
                *(str(one.id), _plain(one.scope or whole), _usd(one.extra_usd)),
                *(moment(one.until_s), one.state, _plain(one.approver), _plain(one.reason)),
            )
            for one in told.raises
        ]
        yield table(("RAISE", "OF", "EXTRA", "UNTIL", "STATE", "APPROVED BY", "WHY"), raises)
    if told.alerts:
        given = [
            (
                *(moment(one.at_s), _plain(one.scope), f"{one.percent} %", one.measure),
                *(_usd(one.used_usd), _usd(one.allowed_usd)),
            )
            for one in told.alerts
        ]
        yield table(("ALERTED AT", "SCOPE", "REACHED", "OF", "USED", "ALLOWED"), given)


def _use(use: ScopeUse) -> tuple[str, ...]:
    share = f"{use.share * 100:.1f} %"
    amounts = _usd(use.used_usd), _usd(use.allowed_usd), _usd(use.left_usd)
    return _plain(use.scope), *amounts, share, _forecast(use)


def _forecast(use: ScopeUse | None) -> str:
    return "-" if use is None or use.forecast_usd is None else _usd(use.forecast_usd)


def _usd(exact: str) -> str:
    """Dollars without loss, with cents at least."""
    whole, _, rest = exact.partition(".")
    return f"${whole}.{rest.ljust(2, '0')}"


def _plain(text: str) -> str:
    # Scopes have values that callers chose: nothing in them may steer the terminal.
    return "".join(c if c.isprintable() else "?" for c in text)


def _named(name: str) -> str:
    key_id = budgeted_key(name)
    if key_id is not None and not is_id(key_id):
        message = (
            "a key's budget is called key:ID, by the 8 letters after `sk-tg-`, or by the id of an "
            "imported key, ext-..."
        )
        raise click.BadParameter(message)
    plain = name.replace(".", "").replace("-", "").replace("_", "")
    if key_id is None and not plain.isalnum():
        raise click.BadParameter("a budget's name is letters, digits, `.`, `_` and `-`")
    return name


def _tell(changed: BudgetChanged, what: str) -> None:
    click.echo(f"{what}; plan version {changed.plan_version}.")
    if changed.waiting_for:
        names = ", ".join(changed.waiting_for)
        click.echo(f"Not yet obeyed by {names}; control keeps telling it.", err=True)
