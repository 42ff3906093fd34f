"""Files of requests as OpenAI's API takes them: `/v1/files` and `/v1/batches`, held in memory.

A batch's lines are asked of the engine itself, a few at a time, as if each had come alone. What
does not get 200 stands in the batch's error file.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import msgspec
from msgspec import Raw, Struct

from tidegate.core import clock
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.http.server import Connection
from tidegate.sim.asked import Problem
from tidegate.text import multipart
from tidegate.text.strict_json import UNREADABLE

MAX_FILES: Final = 1000
AT_ONCE: Final = 16
_PATH = re.compile(rb"/v1/(files|batches)(?:/([A-Za-z0-9_-]{1,64})(/content|/cancel)?)?")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_FILE_HEAD: Final = answers.status_line(200) + b"content-type: application/octet-stream\r\n"

Answer = Callable[[Incoming, Connection], Awaitable[None]]


class _Line(Struct):
    custom_id: str
    method: str
    url: str
    body: Raw


class _Create(Struct):
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None


class _File(Struct):
    id: str
    filename: str
    purpose: str
    created_at: int
    content: bytes

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


class _Batch(Struct):
    id: str
    endpoint: str
    input_file_id: str
    completion_window: str
    created_at: int
    metadata: dict[str, str] | None
    object: str = "batch"
    status: str = "in_progress"
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: dict[str, Any] | None = None
    completed_at: int | None = None
    cancelled_at: int | None = None
    request_counts: dict[str, int] = {}


class _Caught:
    """Stands where a connection would, and keeps the whole answer that is sent on it."""

    lost = False
    source = None
    transport = None

    def __init__(self) -> None:
        self.status = 500
        self.body = b"{}"

    def send(self, head: bytes, body: bytes) -> None:
        match = _STATUS.match(head)
        self.status = int(match[1]) if match else 500
        self.body = body


class Batches:
    """Of one simulated engine. `answer` asks it for one line's request."""

    def __init__(self, answer: Answer, api_key: str | None = None) -> None:
        self._answer = answer
        self._headers = {b"authorization": f"Bearer {api_key}".encode()} if api_key else {}
        self.files: dict[str, _File] = {}
        self.batches: dict[str, _Batch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def takes(self, head: Head) -> bool:
        """Whether the path is one of these."""
        return _PATH.fullmatch(head.path) is not None

    def serve(self, incoming: Incoming, connection: Connection) -> None:
        """Answers one such request. Problem."""
        match = _PATH.fullmatch(incoming.head.path)
        assert match is not None  # noqa: S101 - see takes
        noun, id, rest = (part.decode() if part else "" for part in match.groups())
        method = incoming.head.method.decode()
        if noun == "files":
            self._file(method, id, rest, incoming, connection)
        else:
            self._batch(method, id, rest, incoming, connection)

    def stop(self) -> None:
        """Ends what is under way."""
        for task in self._tasks.values():
            task.cancel()

    def _file(
        self, method: str, id: str, rest: str, incoming: Incoming, connection: Connection
    ) -> None:
        if not id:
            files = self._files(incoming.head.query) if method == "GET" else None
            _json(connection, self._take(incoming).shown() if files is None else files)
            return
        found = self.files.get(id)
        if found is None or (method, rest) not in (
            ("GET", ""),
            ("GET", "/content"),
            ("DELETE", ""),
        ):
            raise Problem(404, "No such File object")
        if rest:
            connection.send(_FILE_HEAD, found.content)
        elif method == "DELETE":
            del self.files[id]
            _json(connection, {"id": id, "object": "file", "deleted": True})
        else:
            _json(connection, found.shown())

    def _take(self, incoming: Incoming) -> _File:
        kind = incoming.head.headers.get(b"content-type", b"").decode("latin-1")
        try:
            parts = multipart.parts(incoming.body, multipart.boundary_of(kind))
        except multipart.MultipartProblem as problem:
            raise Problem(400, str(problem)) from None
        found = {part.name: part for part in parts}
        if "file" not in found or "purpose" not in found:
            raise Problem(400, "`file` and `purpose` are needed")
        purpose = found["purpose"].content(incoming.body).decode("utf-8", "replace")
        part = found["file"]
        return self._keep(part.filename or "file", purpose, part.content(incoming.body))

    def _keep(self, name: str, purpose: str, content: bytes) -> _File:
        if len(self.files) >= MAX_FILES:
            del self.files[next(iter(self.files))]
        id = f"file-{clock.random_text(_LETTERS, 22)}"
        kept = self.files[id] = _File(id, name, purpose, int(clock.wall_s()), content)
        return kept

    def _batch(
        self, method: str, id: str, rest: str, incoming: Incoming, connection: Connection
    ) -> None:
        if not id:
            made = self._create(incoming.body) if method == "POST" else None
            _json(connection, self._list(incoming.head.query) if made is None else made)
            return
        found = self.batches.get(id)
        if found is None or (method, rest) not in (("GET", ""), ("POST", "/cancel")):
            raise Problem(404, "No such Batch object")
        if rest and found.status == "in_progress":
            found.status = "cancelling"
        _json(connection, found)

    def _create(self, body: bytes) -> _Batch:
        try:
            said = msgspec.json.decode(body, type=_Create)
        except UNREADABLE as error:
            raise Problem(400, str(error)) from None
        if said.input_file_id not in self.files:
            raise Problem(400, "No such File object", "input_file_id")
        id = f"batch_{clock.random_text(_LETTERS, 24)}"
        made = _Batch(
            id,
            said.endpoint,
            said.input_file_id,
            said.completion_window,
            int(clock.wall_s()),
            said.metadata,
        )
        if len(self.batches) >= MAX_FILES:
            del self.batches[next(iter(self.batches))]
        self.batches[id] = made
        task = asyncio.get_running_loop().create_task(self._work(made))
        self._tasks[id] = task
        task.add_done_callback(lambda _: self._tasks.pop(id, None))
        return made

    def _files(self, query: bytes) -> dict[str, Any]:
        said = _asked(query)
        found = [one.shown() for one in reversed(self.files.values())]
        if said.get("order") == "asc":
            found.reverse()
        purpose = said.get("purpose")
        return _page([it for it in found if purpose in (None, it["purpose"])], said, "10000")

    def _list(self, query: bytes) -> dict[str, Any]:
        newest = [msgspec.to_builtins(one) for one in reversed(self.batches.values())]
        return _page(newest, _asked(query), "20")

    async def _work(self, batch: _Batch) -> None:
        """Asks for each line, and leaves two files."""
        try:
            lines = self.files[batch.input_file_id].content.splitlines()
            asked = [msgspec.json.decode(line, type=_Line) for line in lines if line.strip()]
        except UNREADABLE as error:
            rows = [{"code": "invalid_json_line", "message": str(error), "line": None}]
            batch.errors, batch.status = {"object": "list", "data": rows}, "failed"
            return
        told: dict[bool, list[bytes]] = {True: [], False: []}
        for at in range(0, len(asked), AT_ONCE):
            cancelled = batch.status == "cancelling"
            some = asked[at : at + AT_ONCE]
            done = await asyncio.gather(*(self._ask(one, cancelled) for one in some))
            for good, row in done:
                told[good].append(row)
        batch.request_counts = {
            "total": len(asked),
            "completed": len(told[True]),
            "failed": len(told[False]),
        }
        if told[True]:
            batch.output_file_id = self._keep("output.jsonl", "batch_output", _file(told[True])).id
        if told[False]:
            batch.error_file_id = self._keep("error.jsonl", "batch_output", _file(told[False])).id
        cancelled = batch.status == "cancelling"
        batch.status = "cancelled" if cancelled else "completed"
        batch.completed_at = int(clock.wall_s())

    async def _ask(self, line: _Line, cancelled: bool) -> tuple[bool, bytes]:
        """Whether it was served, and its line of results."""
        row: dict[str, Any] = {
            "id": f"batch_req_{clock.random_text(_LETTERS, 24)}",
            "custom_id": line.custom_id,
            "response": None,
            "error": None,
        }
        if cancelled:
            row["error"] = {"code": "batch_cancelled", "message": "The batch was cancelled."}
            return False, msgspec.json.encode(row)
        caught = _Caught()
        head = Head(method=line.method.encode(), path=line.url.encode(), headers=self._headers)
        await self._answer(
            Incoming(head, clock.monotonic_s(), bytes(line.body)), cast(Connection, caught)
        )
        row["response"] = {
            "status_code": caught.status,
            "request_id": f"req_{clock.random_text(_LETTERS, 24)}",
            "body": Raw(caught.body or b"null"),
        }
        return caught.status == 200, msgspec.json.encode(row)


def _asked(query: bytes) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in query.decode().split("&") if pair)
    return {name: value for name, _, value in pairs}


def _page(found: list[dict[str, Any]], said: dict[str, str], limit: str) -> dict[str, Any]:
    """What comes behind `after`, as many as are asked for."""
    ids = [one["id"] for one in found]
    start = ids.index(said["after"]) + 1 if said.get("after") in ids else 0
    end = start + int(said.get("limit", limit))
    return {"object": "list", "data": found[start:end], "has_more": end < len(found)}


def _file(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


def _json(connection: Connection, value: object) -> None:
    connection.send(answers.JSON_HEAD, msgspec.json.encode(value))
