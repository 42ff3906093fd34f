"""Several gateway processes of one state directory that count together in one Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO, plan_of, read_journal, target
from tests.gateway.spawned import Spawned, ask, lay_out, post
from tests.gateway.upstream import Upstream, whole
from tests.stores.redis_rig import Network, serving

from tidegate.core.database_ref import CounterStore
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Limit
from tidegate.core.receipt import Hold
from tidegate.core.units import NANOUSD_PER_USD

GATEWAYS = 4
# What one HELLO costs at the rig's price: 11 tokens in, 5 out.
COST = 21_000
BODY = {**HELLO, "max_tokens": 5}


class Fleet:
    """Gateways of one state directory in front of one provider, and the Redis they share."""

    def __init__(
        self, gateways: list[Spawned], key: str, network: Network, upstream: Upstream
    ) -> None:
        self.gateways = gateways
        self.key = key
        self.server = network.server
        self.network = network
        self.upstream = upstream

    async def ask(self, number: int) -> Reply:
        gateway = self.gateways[number % len(self.gateways)]
        return await ask(gateway.address, post(self.key, BODY))

    async def used(self, number: int = 0) -> dict[str, float]:
        """What a gateway says is used of each limit; money in nano-dollars."""
        reply = await self.usage(number)
        assert reply.status == 200, reply.raw
        rows = reply.json["data"]
        scale = {"usd": NANOUSD_PER_USD}
        return {row["limit"]: round(float(row["used"]) * scale.get(row["unit"], 1)) for row in rows}

    async def usage(self, number: int) -> Reply:
        head = f"GET /v1/usage HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {self.key}\r\n"
        text = f"{head}connection: close\r\n\r\n".encode()
        return await ask(self.gateways[number % len(self.gateways)].address, text)


@asynccontextmanager
async def fleet(
    folder: Path,
    mode: Any,
    *limits: Limit,
    count: int = GATEWAYS,
    own: KeyLimits | None = None,
    through: bool = False,
    program: tuple[str, ...] = (),
) -> AsyncIterator[Fleet]:
    """With `through` the gateways reach Redis by way of `network`, which is this process's.
    `program` runs them in place of their own entry."""
    with (
        TemporaryDirectory(prefix="tg", dir="/tmp") as short,
        serving("redis", Path(short)) as server,
    ):
        async with Upstream(whole()) as up, AsyncExitStack() as stack:
            network, path = Network(server, Path(short) / "net.sock"), server.socket
            if through:
                await stack.enter_async_context(network.up())
                path = Path(short) / "net.sock"
            counters = CounterStore(mode, url=f"unix://{path}")
            plan = plan_of(target(up.port), limits=limits, counters=counters)
            layout, key = lay_out(folder, plan, limits=own)
            gateways = [Spawned(layout, slot) for slot in range(count)]
            await asyncio.gather(*(one.start(*program) for one in gateways))
            yield Fleet(gateways, key, network, up)
            assert not any([await one.end() for one in gateways])


def holds_of(journal: Path) -> list[Hold]:
    return [hold for receipt in read_journal(journal) for hold in receipt.holds]


def budget(amount: int, **fields: Any) -> Limit:
    return Limit("ours", "spend", amount, ("team",), unit="month", **fields)
