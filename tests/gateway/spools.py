"""What lies in a spool's folder, and a gateway with captures and feedback."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.gateway.rig import Gateway, gateway, until
from tests.gateway.routed import routed

from tidegate.core.capture import Capture, Captured, decode_captured
from tidegate.core.feedback import Feedback, decode_feedback
from tidegate.core.frames import frames
from tidegate.core.plan import Target
from tidegate.core.spool import FINISHED, GROWING, MAGIC
from tidegate.gateway.captures import Captures
from tidegate.gateway.feedback import Hearing
from tidegate.gateway.spool import Spool

ALL = Capture(1.0)


def payloads(folder: Path) -> list[bytes]:
    """Every record of a spool's folder, in order."""
    found = []
    for path in sorted([*folder.glob(f"*{FINISHED}"), *folder.glob(f"*{GROWING}")]):
        data = path.read_bytes()
        assert data.startswith(MAGIC)
        for _, payload in frames(data, len(MAGIC)):
            assert payload is not None
            found.append(payload)
    return found


class Kept:
    """A gateway that captures, and what it has written."""

    def __init__(self, it: Gateway) -> None:
        self.it = it
        spool = Spool(it.layout.spool_of("captured", "gateway-0"), 1 << 24)
        self.captures = it.world.captures = Captures(spool)
        said = Spool(it.layout.spool_of("feedback", "gateway-0"), 1 << 24)
        self.hearing = it.world.hearing = Hearing(said)

    def captured(self) -> list[Captured]:
        return [decode_captured(it) for it in payloads(self.captures.spool.folder)]

    def feedback(self) -> list[Feedback]:
        return [decode_feedback(it) for it in payloads(self.hearing.spool.folder)]

    async def settled(self, count: int) -> list[Captured]:
        """Once so many were kept or dropped."""
        captures = self.captures
        await until(lambda: captures.kept + captures.dropped.total() >= count)
        return self.captured()


@contextlib.asynccontextmanager
async def keeping(
    folder: Path, *targets: Target, capture: Capture | None = ALL, **fields: Any
) -> AsyncIterator[Kept]:
    """A gateway whose route `small` captures."""
    routes = routed(*targets, capture=capture, **fields)
    async with gateway(folder, *targets, routes=routes) as it:
        made = Kept(it)
        try:
            yield made
        finally:
            made.captures.close()
            made.hearing.spool.close()
