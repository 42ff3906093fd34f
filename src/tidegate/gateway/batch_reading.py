"""batch_reading: a provider's file is read to its end: settled where it is results, and sent on to
whoever asked for it, no faster than that reads."""

import asyncio
from typing import Any, Final

import msgspec

from tidegate.core.outcome import Failure
from tidegate.gateway.batch_ids import OWN_ID, Sealed
from tidegate.gateway.batch_place import Account
from tidegate.gateway.batch_settle import Settling
from tidegate.gateway.batch_transfer import Download, begin_download
from tidegate.gateway.http import answers
from tidegate.gateway.http.server import Connection
from tidegate.gateway.journal import nothing

_HEAD: Final = answers.status_line(200) + b"content-type: application/octet-stream\r\n"
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


async def read_through(
    at: Account,
    sealed: Sealed,
    settling: Settling | None,
    request_id: str,
    connection: Connection | None = None,
) -> None:
    """Reads a file to its end: lines are settled and go on to `connection`. Failure, Refusal
    before it has begun; after that the answer is cut, where there is one."""
    this = at.in_flight()
    path = b"/files/%b/content" if sealed.kind != "messages" else b"/batches/%b/results"
    path %= sealed.own.encode()
    try:
        download = await begin_download(at, this, path, request_id)
        way = None if connection is None else _Way(connection, request_id)
        try:
            await _relay(download, settling, way)
        except Failure:
            if settling is not None:
                settling.stop()
            if way is None:
                raise
            way.connection.cut(b"")
            return
        this.take_body()
        ending = nothing if way is None else way.finish
        if settling is None:
            ending()
        else:
            await settling.finish(connection, ending)
    finally:
        this.end()


async def _relay(download: Download, settling: Settling | None, way: "_Way | None") -> None:
    async for piece in download.pieces():
        if settling is not None:
            await settling.feed(piece)
        if way is not None:
            await way.write(piece)


class _Way:
    """The way of a file to its reader, no faster than that reads. Its connection's `source`."""

    def __init__(self, connection: Connection, request_id: str) -> None:
        self.connection = connection
        self._flowing = asyncio.Event()
        self._flowing.set()
        connection.source = self
        connection.start(_HEAD + answers.request_id_header(request_id), b"")

    def pause(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    async def write(self, piece: bytes) -> None:
        await self._flowing.wait()
        if piece:
            self.connection.write(piece)

    def finish(self) -> None:
        self.connection.finish(b"")


def read(body: bytes) -> dict[str, Any]:
    """What a provider says of a file or a batch. Failure where it is no object."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = "the provider's answer is no object of JSON"
        raise Failure("malformed", "upstream_malformed", message) from None


def own_id(told: dict[str, Any]) -> str:
    """The provider's id of it. Failure where it tells none."""
    found = told.get("id")
    if isinstance(found, str) and OWN_ID.fullmatch(found):
        return found
    raise Failure("malformed", "upstream_malformed", "the provider told no id")
