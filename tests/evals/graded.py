"""Live answers of a canary, and a judge that fails."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.grading import Answered

DAY_S = 86_400.0
CANARY = {
    "rollout": "r1",
    "release": "v2",
    "arm": "canary",
    "unit": 7,
    "unit_kind": "user",
    "prompt": "support",
    "prompt_version": "v2",
}
PLAIN = DeclaredQuality(checks='[{"contains":{"any":["day"]}}]', per_hour=3600)


def run(main: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await main

    asyncio.run(bounded())


def raising(error: Exception) -> Any:
    def say(_: bytes) -> Answered:
        raise error

    return say
