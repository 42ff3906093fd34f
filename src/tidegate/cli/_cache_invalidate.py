"""`tidegate cache invalidate`: kept answers that may be given no more."""

from pathlib import Path
from typing import Any, get_args

import click

from tidegate.cli._client import control_options, open_control
from tidegate.control.shapes_cache import AnswersGone
from tidegate.core.cache import Tier
from tidegate.core.cache_labels import Selector

_DONE = "gone from {} of this machine's gateways: {}"


@click.command()
@click.option("--tag", help="With this tag, of their route or of the request.")
@click.option("--source", help="From this document, as the application named it.")
@click.option("--entry", metavar="REQUEST", help="The one that this request had.")
@click.option("--key", metavar="KEY", help="That this key had asked for.")
@click.option("--prompt", metavar="NAME[@VERSION]", help="To this prompt, or one version of it.")
@click.option("--team", help="That this team had asked for.")
@click.option("--customer", help="That this customer of the team had asked for.")
@click.option("--model", help="Of this model, as it is configured or as it calls itself.")
@click.option("--target", help="Of this target.")
@click.option("--release", help="Of this release.")
@click.option("--route", help="Of this route.")
@click.option("--tier", type=click.Choice(get_args(Tier)), help="Of this tier.")
@click.option("--everything", is_flag=True, help="All that is kept.")
@control_options
def invalidate(state: Path | None, control: str | None, everything: bool, **named: Any) -> None:
    """Take kept answers out: no gateway gives them again, nor keeps one that is under way.

    Answers go that have all of what is named; for several tags ask once for each.
    """
    prompt, at, version = (named.pop("prompt") or "").partition("@")
    meant = Selector(
        prompt=prompt or None, version=version if at else None, everything=everything, **named
    )
    wrong = meant.wrong()
    if wrong is not None:
        raise click.UsageError(wrong)
    told = open_control(state, control).post("/cache/invalidate", AnswersGone, meant)
    click.echo(_DONE.format(told.gateways, told.invalidated))
    for one in told.unknown:
        click.echo(f"the plan has no {one}; what is kept of it is gone all the same", err=True)
    if told.waiting_for:
        click.echo(f"not obeyed yet by {', '.join(told.waiting_for)}", err=True)
