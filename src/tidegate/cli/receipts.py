"""`tidegate receipts`: what requests were, what their users felt and what they cost."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
import msgspec

from tidegate.cli._client import control_options, open_control
from tidegate.cli._latency_bar import cost, duration, picture
from tidegate.cli._words import Duration, moment, table
from tidegate.control.shapes import ReceiptPage, ReceiptTop
from tidegate.core.receipt import Receipt
from tidegate.core.units import format_usd
from tidegate.stores.figures import Quantiles, Ranking, Summary

_FOLLOW_WAIT_S = 20.0
_GROUPS = (
    ("who", "key_id team customer end_user environment purpose priority attributes"),
    (
        "ids",
        "id trace_id session_id conversation prompt_fingerprint asked_digest client_request_id "
        "provider_request_id retry_count",
    ),
    (
        "asked",
        "endpoint dialect dropped route model_asked stream choices input_bytes "
        "output_ceiling_tokens",
    ),
    (
        "served",
        "gateway plan_version release prompt prompt_version passed_over rung rung_kind rung_reason "
        "target provider replica model_wanted model_served model_fingerprint",
    ),
    (
        "cache",
        "cache cache_tier cache_age_s cache_lookup_s cache_from cache_items cache_item_hits "
        "cache_score cache_veto cache_encode_s cache_semantic_s cache_shadow_from saved_nanousd "
        "saved_s",
    ),
    ("release", "rollout arm unit_kind unit arm_forced shadow_of"),
    (
        "tokens",
        "input_tokens cache_read_tokens cache_write_tokens output_tokens reasoning_tokens "
        "audio_input_tokens audio_output_tokens image_input_tokens image_output_tokens "
        "cache_write_1h_tokens tokens_estimated usage_conflict",
    ),
    (
        "units",
        "images image_size image_quality audio_s characters documents search_units output_bytes",
    ),
    ("cost", "cost_nanousd most_nanousd prefix_saved_nanousd price_version service_tier"),
    (
        "time",
        "started_at_s gateway_s earlier_s queue_s connect_s first_token_s generation_s "
        "retrieval_s tool_s "
        "ttft_s itl_mean_s itl_max_s output_tokens_per_s total_s content_chunks",
    ),
    (
        "end",
        "status finish_reason interrupted cancelled_by error_code error_fault error_message "
        "surplus_events refused_by over_limits",
    ),
    (
        "answer",
        "validity violation_at_bytes violation_path violation_rule bytes_before_violation "
        "model_refusal model_refusal_reason",
    ),
)


@click.group(name="receipts")
def plug() -> None:
    """Follow, look at and rank the receipts of requests."""


@plug.command()
@click.option("-f", "--follow", is_flag=True, help="Go on as new ones come, until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--route", help="Only this route's.")
@click.option("--target", help="Only those that this target served, or was meant to.")
@click.option("--rung", help="Only those that came to this rung of their route's ladder.")
@click.option("--purpose", help="Only those of this purpose, such as `probe`.")
@control_options
def tail(
    state: Path | None, control: str | None, follow: bool, lines: int, **which: str | None
) -> None:
    """Show the newest receipts, one a line."""
    client = open_control(state, control)
    page = client.get("/api/receipts", ReceiptPage, limit=lines, **which)
    _show_lines(page.receipts)
    while follow:
        page = client.get(
            "/api/receipts", ReceiptPage, after=page.cursor, wait_s=_FOLLOW_WAIT_S, **which
        )
        _show_lines(page.receipts)


@plug.command()
@click.argument("receipt_id", metavar="ID")
@control_options
def show(state: Path | None, control: str | None, receipt_id: str) -> None:
    """Show every field of the receipt ID. ID is the request's `x-request-id`."""
    if not set(receipt_id) <= set("0123456789abcdefABCDEF-"):
        raise click.BadParameter("a receipt's id is the request's x-request-id", param_hint="ID")
    receipt = open_control(state, control).get(f"/api/receipts/{receipt_id.lower()}", Receipt)
    click.echo(picture(receipt, shutil.get_terminal_size().columns))
    for heading, names in _GROUPS:
        click.echo(f"\n{heading}")
        for name in names.split():
            click.echo(f"  {name:<22} {_value(receipt, name)}")
    _show_each("hold", receipt.holds)
    _show_each("attempt", receipt.attempts)
    _show_each("guardrail", receipt.guardrails)
    _show_each("earlier cost", receipt.earlier_costs or ())


def _show_each(what: str, several: Sequence[msgspec.Struct]) -> None:
    for number, one in enumerate(several, start=1):
        click.echo(f"\n{what} {number}")
        for name in one.__struct_fields__:
            click.echo(f"  {name:<22} {_value(one, name)}")


@plug.command()
@click.option(
    "--by",
    type=click.Choice(get_args(Ranking)),
    default="slowest",
    show_default=True,
    help="What is worst.",
)
@click.option("--since", type=Duration(), default="1h", show_default=True, help="How far back.")
@click.option("-n", "--lines", type=click.IntRange(1, 100), default=10, show_default=True)
@control_options
def top(state: Path | None, control: str | None, by: str, since: float, lines: int) -> None:
    """Show the worst requests of a window, and its p50, p95, p99, counts and cost."""
    client = open_control(state, control)
    window = client.get("/api/receipts/summary", Summary, since_s=since)
    worst = client.get("/api/receipts/top", ReceiptTop, by=by, since_s=since, limit=lines)
    _show_lines(worst.receipts)
    click.echo()
    click.echo(summary(window))


def summary(window: Summary) -> str:
    """The window's figures as text: quantiles in a table, then counts and cost."""
    sums = window.sums
    rows = [
        _quantile_row("total", window.total_s, per_second=False),
        _quantile_row("first token", window.ttft_s, per_second=False),
        _quantile_row("tokens/s", window.output_tokens_per_s, per_second=True),
    ]
    known = "unknown" if sums.cost_nanousd is None else f"${format_usd(sums.cost_nanousd)}"
    unknown = f", {sums.cost_unknown} of unknown cost" if sums.cost_unknown else ""
    notes = "" if window.complete else "\nOnly the newest receipts of this window were read."
    if window.days_from_s is not None:
        notes += (
            "\nReceipts no longer kept are in the counts and the cost, by whole days from "
            f"{moment(window.days_from_s)}; the table is of those still kept."
        )
    return (
        table(("", "P50", "P95", "P99", "OF"), rows)
        + f"\n{sums.requests} requests, {sums.errors} failed, {sums.interrupted} interrupted, "
        f"cost {known}{unknown}{notes}"
    )


def _quantile_row(name: str, figures: Quantiles, *, per_second: bool) -> tuple[str, ...]:
    values = (figures.p50, figures.p95, figures.p99)
    if per_second:
        shown = ["-" if value is None else f"{value:.0f}" for value in values]
    else:
        shown = ["-" if value is None else duration(value) for value in values]
    return (name, *shown, str(figures.count))


def _show_lines(receipts: list[Receipt]) -> None:
    for receipt in receipts:
        click.echo(line(receipt))


def line(receipt: Receipt) -> str:
    """A receipt in one line."""
    words = [
        moment(receipt.started_at_s),
        receipt.id,
        f"{receipt.route or '-'} -> {receipt.target or '-'}",
        str(receipt.status or "-"),
        receipt.error_code or receipt.finish_reason or "-",
        duration(receipt.total_s),
        f"{_number(receipt.total_input_tokens)}+{_number(receipt.output_tokens)} tokens",
        cost(receipt),
    ]
    return "  ".join(words)


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _value(of: msgspec.Struct, name: str) -> str:
    value = getattr(of, name)
    if value is None:
        return "unknown"
    if name == "started_at_s" and isinstance(of, Receipt):
        return moment(value)
    if name in ("cost_nanousd", "prefix_saved_nanousd"):
        return f"${format_usd(value)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and name.endswith("_s") and not name.endswith("_per_s"):
        return duration(value)
    # Ids and names come from callers: nothing in them may steer the terminal.
    return "".join(c if c.isprintable() else "?" for c in str(value))
