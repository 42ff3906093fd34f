"""`tidegate eval cases`: an incident's requests as cases of a suite."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from tidegate.cli._client import Control, control_options, open_control
from tidegate.cli._words import Duration
from tidegate.control.shapes_captured import IncidentPage
from tidegate.core.notice import Notice
from tidegate.evals.captured_cases import NoCase, case_line
from tidegate.stores.incident_captures import Hurt


@click.command()
@click.option(
    "--incident",
    required=True,
    metavar="NOTICE",
    help="Its id, or its key: then the newest of it. See `tidegate notice list`.",
)
@click.option(
    "--before",
    type=Duration(),
    default=3600.0,
    help="From so long before it was noted. Default: 1h.",
)
@click.option("--only-bad", is_flag=True, help="Only requests of which something bad is known.")
@click.option("-n", "--lines", type=click.IntRange(1), help="So many at most. Default: all.")
@click.option("--check", "checks", multiple=True, help="A grader that each asks for. Repeatable.")
@click.option("-o", "--output", type=click.File("wb"), default="-", help="Default: here.")
@control_options
def cases(state: Path | None, control: str | None, output: BinaryIO, **given: Any) -> None:
    """Write the captured requests of an incident as cases, for a suite's `cases_from`.

    Those of its route from before it was noted until it was resolved: errors first, then refusals,
    what was invalid, what was rated down, and what broke off; the rest after them. Strata of each
    case name the incident and the harm. What no case can say is left out and counted.
    """
    client, left_out, written = open_control(state, control), Counter[str](), 0
    for notice, one in _all(client, given["incident"], given["before"]):
        if given["lines"] == written or (given["only_bad"] and one.harm is None):
            break
        more = {"incident": notice.id, "harm": one.harm}
        try:
            line = case_line(one.said, checks=given["checks"], more=more)
        except NoCase as why:
            left_out[str(why)] += 1
            continue
        output.write(line)
        written += 1
    for reason, count in left_out.items():
        click.echo(f"left out {count}: {reason}", err=True)
    click.echo(f"{written} written", err=True)


def _all(client: Control, wanted: str, before_s: float) -> Iterator[tuple[Notice, Hurt]]:
    """Page by page, the bad ones first."""
    beyond: int | None = 0
    while beyond is not None:
        page = client.get(
            "/api/captured/incident",
            IncidentPage,
            notice=wanted,
            before_s=before_s,
            beyond=beyond,
        )
        yield from ((page.notice, it) for it in page.captured)
        beyond = page.beyond
