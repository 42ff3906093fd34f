"""`tidegate audit`: another gateway's ledger held against what is seen beside it. Offline."""

import socket
import ssl
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import click
import msgspec
import uvloop

from tidegate.cli._audit_files import MOST_BYTES, Notes, ledger_of, observed_of
from tidegate.cli._words import moment, table
from tidegate.config.published import published
from tidegate.config.show import usd_text
from tidegate.core import clock, plugs
from tidegate.core.address import parse_url
from tidegate.core.audit import AuditReport, Finding, Kind, LedgerRow, Observed, Side
from tidegate.core.plan import Replica
from tidegate.core.price import Price
from tidegate.core.secret import Secret
from tidegate.gateway.http.pool import Way
from tidegate.gateway.tap import Tap
from tidegate.record.auditing import SLACK_S, PriceAt, audit
from tidegate.stores.errors import StoreError

# By so much a database's clock may be another: rows are then known by their ids.
_CLOCKS_S: Final = 900.0
_WORDS: Final[dict[Kind, str]] = {
    "lost": "requests that were answered and are not in the ledger",
    "unrecorded_call": "calls of providers that no row tells of",
    "cut_as_success": "streams that ended before their end, and count as success",
    "counted_twice": "rows of a request that has one already",
    "cached_twice": "rows in which cached tokens are counted twice",
    "more_tokens": "rows with more tokens than the answer told",
    "fewer_tokens": "rows with fewer tokens than the answer told",
    "unattributed": "rows with money and nobody's name: no team, no user, no end user",
    "unpriced": "rows without a price, whose answers used tokens",
    "other_cost": "rows whose money is not what their tokens cost by published prices",
    "unseen_row": "rows that nobody was seen asking for",
}
# LiteLLM's name of a provider, where ours is another.
_PROVIDERS: Final = {
    "azure": "azure_openai",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
}


@click.group(name="audit")
def plug() -> None:
    """Hold another gateway's ledger against what is seen beside it."""


@plug.command("tap")
@click.option(
    "--to", "to_url", metavar="URL", help="Where all goes on to: the gateway, or a provider."
)
@click.option("--mirror", is_flag=True, help="Take copies of requests, and send nothing on.")
@click.option("--listen", default="127.0.0.1:4100", show_default=True, metavar="HOST:PORT")
@click.option(
    "--side",
    type=click.Choice(["front", "back"]),
    default="front",
    show_default=True,
    help="Before the gateway, or between it and its providers.",
)
@click.option(
    "--into", type=click.Path(path_type=Path), required=True, help="A new file of what is seen."
)
def tap(to_url: str | None, mirror: bool, listen: str, side: str, into: Path) -> None:
    """Pass requests and answers on as they come, and note what is seen, until it is stopped.

    Noted are times, models, ids, tokens and how answers ended: nothing that was said, and of a key
    its SHA-256 alone.
    """
    if mirror == (to_url is not None):
        raise click.UsageError("say where requests go on to with --to, or --mirror: one of both")
    way = None if to_url is None else _way(to_url)
    with _bound(listen) as sock:
        notes = _notes(into)
        host, port = sock.getsockname()[:2]
        try:
            said = partial(click.echo, f"ready http://{host}:{port}", err=True)
            uvloop.run(Tap(way, cast(Side, side), notes.note).run(sock, said))
        finally:
            notes.close()
            lost = f"; {notes.lost} could not be noted" if notes.lost else ""
            click.echo(f"{notes.noted} requests noted in {into}{lost}", err=True)


def _notes(into: Path) -> Notes:
    try:
        return Notes(into, MOST_BYTES)
    except FileExistsError:
        raise click.BadParameter(f"{into} is there already", param_hint="--into") from None
    except OSError as error:
        raise click.BadParameter(f"{into}: {error.strerror}", param_hint="--into") from None


@plug.command("report")
@click.argument("observed", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--db", envvar="TIDEGATE_AUDIT_DB", metavar="URL", help="LiteLLM's PostgreSQL.")
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, exists=True),
    help="Its spend logs as a file instead: JSON lines or .csv.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def report(observed: Sequence[Path], db: str | None, ledger: Path | None, as_json: bool) -> None:
    """Say what the ledger lost, counted twice, took for success or gave to nobody.

    OBSERVED are files of `tidegate audit tap`. Exit 1 when something is wrong.
    """
    seen = [it for file in observed for it in observed_of(file)]
    if not seen:
        raise click.ClickException("nothing was seen: the files are empty")
    ends = {it.end for it in seen if it.side == "front"}
    if "unseen" in ends and len(ends) > 1:
        said = (
            "a mirror's copies and a tap at the front see the same requests: report on one of both"
        )
        raise click.UsageError(said)
    if (db is None) == (ledger is None):
        raise click.UsageError("name the ledger with --db (TIDEGATE_AUDIT_DB) or --ledger")
    try:
        found = audit(seen, _rows(seen, db, ledger), _prices())
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)))
    else:
        click.echo(_text(found))
    if any(it.kind != "unseen_row" for it in found.findings):
        raise SystemExit(1)


def _rows(seen: Sequence[Observed], db: str | None, ledger: Path | None) -> Iterable[LedgerRow]:
    if ledger is not None:
        return ledger_of(ledger)
    since_s = min(it.at_s for it in seen) - _CLOCKS_S
    until_s = max(it.at_s for it in seen) + _CLOCKS_S
    read = plugs.load("stores", "litellm_spend_logs")
    rows: Iterable[LedgerRow] = read(Secret(db or ""), since_s, until_s)
    return rows


def _prices() -> PriceAt:
    quote = published(clock.wall_s())

    def price_at(row: LedgerRow) -> Price | None:
        if row.provider is None or row.sold is None:
            return None
        provider = _PROVIDERS.get(row.provider, row.provider)
        return quote(provider, row.api_base or "", row.sold.removeprefix(f"{row.provider}/")).price

    return price_at


def _text(found: AuditReport) -> str:
    lines = [
        f"{moment(found.since_s)} to {moment(found.until_s)}: {found.observed} requests and calls "
        f"seen, {found.rows} rows of the ledger with {usd_text(found.spend_nanousd)} USD",
        f"{found.matched} rows were seen; {found.judged} told their tokens and were compared, "
        f"{found.priced} their money too, by published prices",
        "",
    ]
    if found.lacks:
        lines.insert(2, f"the ledger does not tell, so it is not judged: {', '.join(found.lacks)}")
    if found.skew_s is not None and abs(found.skew_s) > SLACK_S:
        way = "ahead" if found.skew_s > 0 else "behind"
        lines.insert(2, f"the ledger's clock is {abs(found.skew_s):.0f} s {way}: in UTC?")
    if not found.findings:
        return "\n".join([*lines, "nothing is wrong with what was compared"])
    head = ("COUNT", "TOKENS", "USD", "WHAT", "SUCH AS")
    return "\n".join([*lines, table(head, [_row(it) for it in found.findings])])


def _row(it: Finding) -> tuple[str, ...]:
    return (
        str(it.count),
        "-" if it.tokens is None else str(it.tokens),
        "-" if it.nanousd is None else usd_text(it.nanousd),
        _WORDS[it.kind],
        ", ".join(it.examples[:2]),
    )


def _way(url: str) -> Way:
    try:
        scheme, host, port, path = parse_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
    context = ssl.create_default_context() if scheme == "https" else None
    name = urlsplit(url).netloc.rpartition("@")[2]
    return Way(Replica(name, scheme, host, port, path), context, host, None)


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError) as error:
        sock.close()
        raise click.BadParameter(f"{listen}: {error}", param_hint="--listen") from None
    sock.setblocking(False)
    return sock
