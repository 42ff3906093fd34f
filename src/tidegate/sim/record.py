"""What happened to each request on the wire, for tests that measure the other side.

All times are monotonic seconds of this process and machine, so a client on the same machine may
compare them with its own.
"""

from collections import deque
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from tidegate.core.clock import IdSource

MAX_ENTRIES = 20_000


class Entry(Struct, omit_defaults=False):
    """One request. Its answer's id ends in `id`; `client_request_id` is what the client named it.

    `tokens_generated` is what the engine had made when the request ended.
    """

    id: str
    path: str
    received_s: float
    client_request_id: str | None = None
    model: str | None = None
    stream: bool = False
    fault: str | None = None
    status: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    first_byte_s: float | None = None
    last_byte_s: float | None = None
    chunks_sent: int = 0
    tokens_generated: int = 0
    closed_by: Literal["client", "server"] | None = None
    closed_s: float | None = None
    completed: bool = False


class Log:
    """The newest entries, in order of arrival."""

    def __init__(self, size: int = MAX_ENTRIES) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)
        self._ids = IdSource()

    def open(self, path: str, received_s: float) -> Entry:
        entry = Entry(id=self._ids.new(), path=path, received_s=received_s)
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        self._entries.clear()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)
