"""`tidegate try`: representative queries through the gateway, and what they took."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import httpx2
import msgspec
from msgspec import Struct

from tidegate.cli._client import (
    Control,
    control_options,
    gateway_url,
    open_control,
    read_error_code,
)
from tidegate.cli._latency_bar import duration
from tidegate.cli._words import table
from tidegate.control.shapes import KeyMade, KeyRevoked, NewKey
from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.core.units import format_usd

_TIMEOUT_S = 600.0
_KEY_LIFE_S = 3600.0
_SLOWEST = 5
_RECEIPT_WAIT_S = 5.0
_RECEIPT_LOOK_S = 0.2
_SHOWN_CHARS = 60


class Query(Struct):
    """One line of the file: its number, and the chat body that it stands for."""

    line: int
    body: dict[str, Any]
    shown: str


class Result(Struct):
    """What came of one query. `ttft_s` only when it was streamed."""

    query: Query
    total_s: float
    ttft_s: float | None = None
    status: int | None = None
    error_code: str | None = None
    request_id: str | None = None
    receipt: Receipt | None = None


class Asked(Struct, frozen=True):
    """The options of one run."""

    url: str
    key: str
    concurrency: int
    stream: bool


@click.command(name="try")
@click.argument("route")
@click.argument("queries", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--concurrency", type=click.IntRange(1, 256), default=4, show_default=True)
@click.option("--stream", is_flag=True, help="Ask for streams, and measure the first token.")
@click.option(
    "--key", envvar="TIDEGATE_KEY", help="The key to call with. Default: one made for this run."
)
@click.option(
    "--gateway",
    envvar="TIDEGATE_URL",
    metavar="URL",
    help="Address of the gateway. Default: the one that runs on the state directory.",
)
@control_options
def plug(state: Path | None, control: str | None, **given: Any) -> None:
    """Send the queries of a file through ROUTE and say what they took.

    Each line of QUERIES is JSON: a text, {"prompt": TEXT}, {"messages": [...]}, or a whole chat
    request. About a hundred that look like your traffic tell most.
    """
    queries = read_queries(given["queries"], given["route"], given["stream"])
    client = open_control(state, control)
    made = None if given["key"] else _make_key(client, given["route"])
    asked = Asked(
        url=gateway_url(state, given["gateway"]),
        key=made.key if made else given["key"],
        concurrency=given["concurrency"],
        stream=given["stream"],
    )
    try:
        results = asyncio.run(_send_all(asked, queries))
        _fetch_receipts(client, results)
    finally:
        if made is not None:
            client.post(f"/api/keys/{made.record.id}/revoke", KeyRevoked)
    click.echo(report(results))
    if all(result.error_code for result in results):
        raise click.exceptions.Exit(1)


def read_queries(file: Path, route: str, stream: bool) -> list[Query]:
    """The file's queries as chat bodies. ClickException names the first line that is none."""
    queries: list[Query] = []
    for number, text in enumerate(file.read_bytes().splitlines(), start=1):
        if not text.strip():
            continue
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise click.ClickException(f"{file}:{number}: not JSON ({error})") from error
        body = _body(value)
        if body is None:
            raise click.ClickException(
                f'{file}:{number}: expected a text, {{"prompt": ...}} or {{"messages": [...]}}'
            )
        body |= {"model": route, "stream": stream}
        shown = text.decode("utf-8", "replace")[:_SHOWN_CHARS]
        queries.append(Query(number, body, "".join(c for c in shown if c.isprintable())))
    if not queries:
        raise click.ClickException(f"{file} holds no query")
    return queries


def _body(value: object) -> dict[str, Any] | None:
    if isinstance(value, str):
        return {"messages": [{"role": "user", "content": value}]}
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("messages"), list):
        return dict(value)
    if isinstance(value.get("prompt"), str):
        rest = {name: member for name, member in value.items() if name != "prompt"}
        return {**rest, "messages": [{"role": "user", "content": value["prompt"]}]}
    return None


def report(results: Sequence[Result]) -> str:
    """The figures of a run as text."""
    good = [result for result in results if result.error_code is None]
    lines = [f"{len(results)} queries, {len(results) - len(good)} failed"]
    rows = [
        _figures("total", [result.total_s for result in good]),
        _figures("first token", [r.ttft_s for r in good if r.ttft_s is not None]),
    ]
    lines.append(table(("", "P50", "P95", "OF"), rows))
    receipts = [result.receipt for result in good if result.receipt is not None]
    lines += [_average_tokens(receipts), _total_cost(receipts)]
    rungs = Counter((r.rung, r.rung_reason) for r in receipts if r.rung is not None)
    lines += [f"came to rung {name} for {why}: {n}" for (name, why), n in rungs.most_common()]
    codes = Counter(result.error_code for result in results if result.error_code)
    lines += [f"failed with {code}: {count}" for code, count in codes.most_common()]
    slowest = sorted(good, key=lambda result: -result.total_s)[:_SLOWEST]
    if slowest:
        lines.append("slowest:")
        lines += [
            "  ".join(
                (
                    "",
                    duration(r.total_s),
                    f"line {r.query.line}",
                    r.request_id or "-",
                    r.query.shown,
                )
            )
            for r in slowest
        ]
    return "\n".join(lines)


def _figures(name: str, values: list[float]) -> tuple[str, ...]:
    if not values:
        return (name, "-", "-", "0")
    return (
        name,
        duration(_quantile(values, 50)),
        duration(_quantile(values, 95)),
        str(len(values)),
    )


def _quantile(values: list[float], percent: int) -> float:
    """Nearest rank: a time that a query really took."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1]


def _average_tokens(receipts: Sequence[Receipt]) -> str:
    inputs = [r.total_input_tokens for r in receipts if r.total_input_tokens is not None]
    outputs = [r.output_tokens for r in receipts if r.output_tokens is not None]
    shown = [f"{statistics.fmean(v):.1f}" if v else "unknown" for v in (inputs, outputs)]
    return f"average tokens: {shown[0]} in, {shown[1]} out"


def _total_cost(receipts: Sequence[Receipt]) -> str:
    known = [r.cost_nanousd for r in receipts if r.cost_nanousd is not None]
    unknown = len(receipts) - len(known)
    text = f"${format_usd(sum(known))}" if known else "unknown"
    return f"cost: {text}" + (f", {unknown} of unknown cost" if known and unknown else "")


async def _send_all(asked: Asked, queries: Sequence[Query]) -> list[Result]:
    results: list[Result] = []
    waiting = iter(queries)
    limits = httpx2.Limits(max_connections=asked.concurrency)
    async with httpx2.AsyncClient(
        base_url=asked.url,
        headers={"authorization": f"Bearer {asked.key}"},
        timeout=_TIMEOUT_S,
        limits=limits,
    ) as client:

        async def work() -> None:
            for query in waiting:
                results.append(await _send(client, query))
                click.echo(f"\r{len(results)}/{len(queries)}", nl=False, err=True)

        await asyncio.gather(*(work() for _ in range(asked.concurrency)))
    click.echo(err=True)
    return sorted(results, key=lambda result: result.query.line)


async def _send(client: httpx2.AsyncClient, query: Query) -> Result:
    started_s = clock.monotonic_s()
    result = Result(query, 0.0)
    content = msgspec.json.encode(query.body)
    headers = {"content-type": "application/json"}
    tail = b""
    try:
        async with client.stream(
            "POST", "/v1/chat/completions", content=content, headers=headers
        ) as answer:
            result.status = answer.status_code
            result.request_id = answer.headers.get("x-request-id")
            async for chunk in answer.aiter_bytes():
                tail = (tail + chunk)[-65536:]
                if query.body["stream"] and result.ttft_s is None and b"data:" in tail:
                    result.ttft_s = clock.monotonic_s() - started_s
    except httpx2.ConnectError:
        result.error_code = "gateway_not_reached"
    except httpx2.HTTPError as error:
        result.error_code = type(error).__name__
    result.total_s = clock.monotonic_s() - started_s
    if result.status is not None and result.status >= 400:
        result.error_code = read_error_code(tail) or f"status {result.status}"
    elif result.error_code is None and query.body["stream"] and b"[DONE]" not in tail:
        result.error_code = "stream_ended_early"
    return result


def _make_key(client: Control, route: str) -> KeyMade:
    wanted = NewKey(
        name="tidegate try",
        routes=(route,),
        purpose="eval",
        expires_at_s=clock.wall_s() + _KEY_LIFE_S,
    )
    return client.post("/api/keys", KeyMade, wanted)


def _fetch_receipts(client: Control, results: Sequence[Result]) -> None:
    """Put its receipt beside each result; the recorder may be a moment behind."""
    deadline_s = clock.monotonic_s() + _RECEIPT_WAIT_S
    for result in results:
        while result.request_id is not None and result.receipt is None:
            try:
                result.receipt = client.get(f"/api/receipts/{result.request_id}", Receipt)
            except click.ClickException:
                if clock.monotonic_s() > deadline_s:
                    break
                time.sleep(_RECEIPT_LOOK_S)
