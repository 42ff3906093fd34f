"""Journals of one test, what is written to them, and disks that refuse."""

import contextlib
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tidegate.core.plan import JournalBounds
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway.journal import Journal


def frame(name: str, size: int = 0) -> bytes:
    return encode_frame(Receipt(name, 1.0, "gateway-0", "chat", error_message="x" * size))


@contextlib.asynccontextmanager
async def journal(folder: Path, **bounds: Any) -> AsyncIterator[Journal]:
    it = Journal(folder, JournalBounds(**bounds))
    it.open()
    try:
        yield it
    finally:
        await it.close()


def segments(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.glob("*.journal"))


def never() -> None:
    raise AssertionError("given up")


def failing(times: int, number: int = errno.ENOSPC, short: int = 0) -> Any:
    """os.write that writes `short` bytes and then fails, so many times."""
    real = os.write
    left = [times]

    def write(file: int, data: Any) -> int:
        if left[0] <= 0:
            return real(file, data)
        if short and len(data) > short:
            return real(file, bytes(data)[:short])
        left[0] -= 1
        raise OSError(number, os.strerror(number))

    return write
