"""Providers that fail, for tests of one target after another."""

from msgspec.structs import replace
from tests.gateway.rig import HELLO
from tests.gateway.upstream import Exchange, Script

from tidegate.core.resilience import Retry

STREAM = {**HELLO, "stream": True}
SOON = Retry(base_s=0.001, cap_s=0.002)
ONCE = replace(SOON, attempts=1)
NO = {"error": {"message": "no"}}
TOO_LONG = {"error": {"message": "too long", "code": "context_length_exceeded"}}
GARBLED = b'{"choices": "none"'
# What one answer of the rig's provider costs at the rig's price.
COST = 11 * 1000 + 5 * 2000


def in_turn(*scripts: Script) -> Script:
    """One script for each request; the last for all that follow."""
    left = list(scripts)

    async def script(exchange: Exchange) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return script


async def hangs_up(exchange: Exchange) -> None:
    exchange.transport.abort()
