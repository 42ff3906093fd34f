"""`tidegate capture`: what was said in the requests that routes capture."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from tidegate.cli._client import Control, control_options, open_control
from tidegate.cli._words import Duration, Moment, moment, table
from tidegate.control.shapes_captured import (
    MOST_READ,
    CapturedDeleted,
    CapturedDeletion,
    CapturedList,
    CapturedPage,
    CapturedRow,
)
from tidegate.core.capture import Captured
from tidegate.evals.captured_cases import NoCase, case_line

_ID = set("0123456789abcdef-")
_LINES = click.IntRange(1, 1000)


@click.group(name="capture")
def plug() -> None:
    """List, read, export and delete what routes capture. Each reading is in the audit trail."""


@plug.command(name="list")
@click.option("--route", help="Only this route's.")
@click.option("--customer", help="Only this customer's.")
@click.option("--rated", type=click.Choice(["up", "down"]), help="Only those rated so.")
@click.option("--since", type=Duration(), help="How far back, as in 7d.")
@click.option("-n", "--lines", type=_LINES, default=20, show_default=True)
@control_options
def list_(
    state: Path | None, control: str | None, since: float | None, lines: int, **which: str | None
) -> None:
    """Show the newest captured requests, without what was said."""
    client = open_control(state, control)
    found = client.get("/api/captured", CapturedList, since_s=since, limit=lines, **which)
    head = ("AT", "ID", "ROUTE", "CUSTOMER", "VERSION", "MODEL", "ASKED", "ANSWER", "TAKEN OUT")
    click.echo(table(head, [_columns(it) for it in found.captured]))


def _columns(row: CapturedRow) -> tuple[str, ...]:
    ends = "cut" if row.cut else "shortened" if row.shortened else ""
    return (
        moment(row.at_s),
        row.receipt_id,
        _shown(row.route),
        _shown(row.customer or "-"),
        _shown(row.prompt_version or "-"),
        _shown(row.model or "-"),
        str(row.asked_chars),
        f"{row.answer_chars} {ends}".strip(),
        ", ".join(f"{count} {kind}" for kind, count in sorted(row.redacted.items())) or "-",
    )


@plug.command()
@click.argument("receipt_id", metavar="ID")
@control_options
def show(state: Path | None, control: str | None, receipt_id: str) -> None:
    """Show what was said in the request ID, its `x-request-id`."""
    if not set(receipt_id.lower()) <= _ID:
        raise click.BadParameter("it is the request's x-request-id", param_hint="ID")
    found = open_control(state, control).get(f"/api/captured/{receipt_id.lower()}", Captured)
    for message in msgspec.json.decode(found.messages):
        role, content = message.get("role", "?"), message.get("content")
        text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
        click.echo(f"{_shown(str(role))}:\n{_shown(text)}\n")
    ends = " (cut)" if found.cut else " (shortened)" if found.shortened else ""
    click.echo(f"answer{ends}:\n{_shown(found.answer)}")
    for name, arguments in found.calls:
        click.echo(f"\ncalls {_shown(name)}:\n{_shown(arguments)}")
    _tell_kept(found)


@plug.command()
@click.option("--route", help="Only this route's.")
@click.option("--customer", help="Only this customer's.")
@click.option("--rated", type=click.Choice(["up", "down"]), help="Only those rated so.")
@click.option("--since", type=Duration(), help="How far back, as in 7d.")
@click.option("-n", "--lines", type=click.IntRange(1), help="So many at most. Default: all.")
@click.option(
    "--as",
    "form",
    type=click.Choice(["jsonl", "cases"]),
    default="jsonl",
    show_default=True,
    help="All that is kept, or cases of a suite for its `cases_from`.",
)
@click.option("--expected", is_flag=True, help="Cases: the answer is what is compared with.")
@click.option("--check", "checks", multiple=True, help="Cases: a grader that each asks for.")
@click.option("-o", "--output", type=click.File("wb"), default="-", help="Default: here.")
@control_options
def export(
    state: Path | None,
    control: str | None,
    output: BinaryIO,
    lines: int | None,
    **given: object,
) -> None:
    """Write captured requests, the newest first, a JSON object a line.

    `cases` can be read as they are where the suite has `checks` for all, or with `--check`. What
    no case can say, such as a picture or a tool's answer, is left out and counted.
    """
    client = open_control(state, control)
    form, expected, checks = given.pop("form"), bool(given.pop("expected")), given.pop("checks")
    assert isinstance(checks, tuple)  # noqa: S101
    if form == "jsonl" and (expected or checks):
        raise click.UsageError("--expected and --check are for --as cases")
    written, left_out = 0, Counter[str]()
    for made in _all(client, lines, given):
        try:
            line = (
                msgspec.json.encode(made) + b"\n"
                if form == "jsonl"
                else case_line(made, expected=expected, checks=checks)
            )
        except NoCase as why:
            left_out[str(why)] += 1
            continue
        output.write(line)
        written += 1
    for reason, count in left_out.items():
        click.echo(f"left out {count}: {reason}", err=True)
    click.echo(f"{written} written", err=True)


def _all(client: Control, lines: int | None, given: dict[str, object]) -> Iterator[Captured]:
    """Page by page, at most so many."""
    since_s, before_id, left = given.pop("since"), None, lines
    while left is None or left > 0:
        limit = MOST_READ if left is None else min(MOST_READ, left)
        page = client.get(
            "/api/captured/export",
            CapturedPage,
            since_s=since_s,
            before_id=before_id,
            limit=limit,
            **given,
        )
        yield from page.captured
        left = None if left is None else left - len(page.captured)
        before_id = page.next_id
        if before_id is None:
            return


@plug.command()
@click.option("--customer", help="All of this customer's.")
@click.option("--end-user", help="All of this end user's.")
@click.option("--before", "before_s", type=Moment(), help="Only what was said before then.")
@click.confirmation_option(prompt="What was said is deleted for good. Go on?")
@control_options
def delete(state: Path | None, control: str | None, **whose: object) -> None:
    """Delete captured requests and feedback for good, by whose they are or by their age."""
    if not any(whose.values()):
        raise click.UsageError("say --customer, --end-user or --before")
    body = msgspec.convert(whose, CapturedDeletion)
    gone = open_control(state, control).post("/api/captured/delete", CapturedDeleted, body)
    click.echo(f"{gone.captured} captured requests and {gone.feedback} words of feedback deleted")


def _tell_kept(found: Captured) -> None:
    """What of it was kept from an earlier request, or nearly would have been."""
    score = "" if found.cache_score is None else f", cosine {found.cache_score:.4f}"
    whence = f"{found.cache_tier} cache, of {found.cache_from}{score}"
    if found.is_kept_answer:
        click.echo(f"\nThe answer was given from the {whence}.")
    if found.kept is not None:
        click.echo(f"\nkept question:\n{_shown(found.kept.question)}")
        if found.kept.answer is not None:
            held = "" if found.cache_veto is None else f"; held back: {found.cache_veto}"
            click.echo(f"\nkept answer ({whence}{held}):\n{_shown(found.kept.answer)}")


def _shown(text: str) -> str:
    """Nothing that a caller or a model wrote may steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
