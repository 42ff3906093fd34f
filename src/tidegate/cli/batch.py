"""`tidegate batch`: files of requests at providers, as a key of their team sees them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx2
import msgspec
from msgspec import Struct

from tidegate.cli._client import gateway_url, read_error
from tidegate.cli._words import moment, table

_THROUGH = ("completed", "failed", "expired", "cancelled")
_PAGE = 100
_SILENCE_S = 120.0


class _Counts(Struct):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Batch(Struct):
    id: str
    status: str
    created_at: float = 0.0
    endpoint: str = ""
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: _Counts | None = None

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(it for it in (self.output_file_id, self.error_file_id) if it)


class _Page(Struct):
    data: list[_Batch]
    has_more: bool = False


_page = msgspec.json.Decoder(_Page).decode


def _caller_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a command reaches the gateway as a caller."""
    path = click.Path(path_type=Path, file_okay=False)
    options = (
        click.option(
            "--key",
            envvar="TIDEGATE_KEY",
            required=True,
            help="Of the team whose batches they are.",
        ),
        click.option("--gateway", envvar="TIDEGATE_GATEWAY", metavar="URL", help="Its address."),
        click.option(
            "--state",
            type=path,
            envvar="TIDEGATE_STATE",
            metavar="DIR",
            help="Of the gateway that runs here.",
        ),
    )
    for option in options:
        command = option(command)
    return command


@click.group(name="batch")
def plug() -> None:
    """Files of requests that providers answer within a day, as a key of their team sees them."""


@plug.command(name="list")
@_caller_options
def list_(key: str, gateway: str | None, state: Path | None) -> None:
    """Show batches, the newest first at each provider."""
    with _calling(key, gateway, state) as client:
        rows = [_row(batch) for batch in _batches(client)]
    click.echo(table(("BEGAN", "STATUS", "LINES", "SERVED", "FAILED", "ENDPOINT", "ID"), rows))


@plug.command()
@click.argument("ids", nargs=-1)
@_caller_options
def settle(ids: tuple[str, ...], key: str, gateway: str | None, state: Path | None) -> None:
    """Read the results of batches that are through, so that their lines are priced and counted:
    those of these IDS, or of all. What was read before is counted once."""
    with _calling(key, gateway, state) as client:
        known = list(_batches(client))
        missing = set(ids) - {batch.id for batch in known}
        if missing:
            raise click.ClickException(f"there is no such batch of this key: {min(missing)}")
        for batch in known:
            if batch.status in _THROUGH and (not ids or batch.id in ids):
                lines = sum(_read(client, file) for file in batch.files)
                click.echo(f"{batch.id}: {lines} lines")


def _batches(client: httpx2.Client) -> Iterator[_Batch]:
    after: dict[str, str] = {}
    while True:
        answer = client.get("/v1/batches", params={"limit": _PAGE, **after})
        _check(answer.status_code, answer.content)
        try:
            page = _page(answer.content)
        except msgspec.DecodeError:
            raise click.ClickException("the gateway's answer is no list of batches") from None
        yield from page.data
        if not page.has_more or not page.data:
            return
        after = {"after": page.data[-1].id}


def _read(client: httpx2.Client, file: str) -> int:
    """How many lines a file of results has. It is read to its end and kept nowhere."""
    lines = 0
    with client.stream("GET", f"/v1/files/{file}/content") as answer:
        if answer.status_code != 200:
            _check(answer.status_code, answer.read())
        for piece in answer.iter_raw():
            lines += piece.count(b"\n")
    return lines


def _row(batch: _Batch) -> tuple[str, ...]:
    counts = batch.request_counts
    told = ("-",) * 3 if counts is None else (counts.total, counts.completed, counts.failed)
    return (moment(batch.created_at), batch.status, *map(str, told), batch.endpoint, batch.id)


@contextmanager
def _calling(key: str, gateway: str | None, state: Path | None) -> Iterator[httpx2.Client]:
    """A client of the gateway with this key. Every failure is a one-line ClickException."""
    url = gateway_url(state, gateway).removesuffix("/v1")
    headers = {"authorization": f"Bearer {key}"}
    try:
        with httpx2.Client(base_url=url, headers=headers, timeout=_SILENCE_S) as client:
            yield client
    except httpx2.HTTPError as error:
        raise click.ClickException(f"the gateway at {url} did not answer: {error}") from error


def _check(status: int, content: bytes) -> None:
    if status != 200:
        raise click.ClickException(read_error(content)[0] or f"the gateway answered {status}")
