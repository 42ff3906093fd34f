"""`tidegate cache prefix` and `tidegate cache unstable`: providers' own prefix caches."""

from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import Duration, table
from tidegate.control.shapes_prefixes import PrefixPage, UnstablePage, UnstablePrefix
from tidegate.core.prefix_sums import PrefixSums
from tidegate.core.units import format_usd
from tidegate.prompts.unstable import LEAST_REQUESTS


@click.command()
@click.option("--route", help="Only this route's.")
@click.option("--since", type=Duration(), default="1d", show_default=True, help="How far back.")
@control_options
def prefix(state: Path | None, control: str | None, route: str | None, since: float) -> None:
    """Show what providers' and engines' prefix caches had of the input, and what that saved.

    CACHED is the share of all input that was read from a cache: `>=` where some requests did not
    tell (UNTOLD), `-` where none did. SAVED is net of what writes to the cache cost; of so many
    requests as NOT KNOWN says nobody knows it.
    """
    page = open_control(state, control).get("/api/prefixes", PrefixPage, route=route, since_s=since)
    if not page.prefixes:
        click.echo("no chat or completion was answered in this time")
        return
    head = ("ROUTE", "VERSION", "MODEL", "REQUESTS", "INPUT", "CACHED", "UNTOLD")
    rows = [_sums_row(it) for it in page.prefixes]
    click.echo(table((*head, "WRITTEN", "SAVED", "NOT KNOWN"), rows))
    unknown = sum(it.usage_unknown for it in page.prefixes)
    if unknown:
        click.echo(f"\nof {unknown} more requests nobody knows the tokens")
    if not page.complete:
        click.echo("\nOnly the newest receipts of this window were read.")


def _sums_row(it: PrefixSums) -> tuple[str, ...]:
    least = it.least_cached_share
    cached = "-" if least is None else f"{'>= ' if it.untold else ''}{least:.1%}"
    told = it.requests - it.untold
    saved = f"${format_usd(it.saved_nanousd)}" if told > it.saved_unknown else "-"
    return (
        shown(it.route),
        shown(it.prompt_version),
        shown(it.model),
        str(it.requests),
        str(it.input_tokens),
        cached,
        str(it.untold),
        str(it.written_tokens),
        saved,
        str(it.untold + it.saved_unknown),
    )


@click.command()
@click.option("--route", help="Only this route's.")
@click.option("--since", type=Duration(), default="7d", show_default=True, help="How far back.")
@control_options
def unstable(state: Path | None, control: str | None, route: str | None, since: float) -> None:
    """Show where the beginnings of captured requests stop being the same, and what varies there.

    Only its kind is told, never what was said. BEFORE and BEHIND are tokens of a request that are
    the same in nearly all; what stands BEHIND could be cached too, were what varies moved to the
    end.
    """
    page = open_control(state, control).get(
        "/api/prefixes/unstable", UnstablePage, route=route, since_s=since
    )
    if page.unstable:
        head = ("ROUTE", "VERSION", "MODEL", "COMPARED", "TOKENS", "BEFORE", "VARIES", "IN")
        rows = [_unstable_row(it) for it in page.unstable]
        click.echo(table((*head, "BEHIND", "MOVABLE", "A DAY", "SAVES A DAY"), rows))
        if not all(it.exact for it in page.unstable):
            click.echo("\nTokens are estimated, four bytes each, where no tokenizer is known.")
        for it in page.unstable:
            if it.found.hidden_tokens is not None:
                click.echo(
                    f"{shown(it.route)}: after {it.found.hidden_tokens} tokens stands something "
                    "that capture took out; whether it varies cannot be seen."
                )
    if page.too_few:
        click.echo(f"{page.too_few} more with fewer than {LEAST_REQUESTS} captured requests")
    if page.uncaptured:
        names = ", ".join(shown(name) for name in page.uncaptured[:20])
        click.echo(
            f"nothing is captured of: {names}\n"
            "Write `capture: 0.05` at the route to keep a share of its questions, redacted "
            "(docs/capture.md); until then `tidegate prompt lint` tells of its prompt alone."
        )


def _unstable_row(it: UnstablePrefix) -> tuple[str, ...]:
    found, saved = it.found, it.saved_a_day_nanousd
    place = "-" if found.kind is None else f"message {found.turn + 1} ({shown(found.role)})"
    return (
        shown(it.route),
        shown(it.prompt_version),
        shown(it.model),
        f"{found.compared} of {found.compared + found.others}",
        str(found.tokens),
        str(found.before_tokens),
        found.kind or "nothing",
        place,
        str(found.behind_tokens),
        f"{found.movable_share:.0%}",
        str(it.requests_a_day),
        "unknown" if saved is None else f"${format_usd(saved)}",
    )


def shown(text: str) -> str:
    """Names come from callers and providers: nothing in them may steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text) or "-"
