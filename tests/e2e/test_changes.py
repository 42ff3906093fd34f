"""A change over real processes: obeyed at once, kept while control is dead, over in time."""

import asyncio
import signal
from pathlib import Path

from tests.e2e.apart import LOOK_S, PATIENCE_S, PLAN, Spawning
from tests.gateway.rig import HELLO, run
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import Upstream

from tidegate.cli._client import Control
from tidegate.control.shapes_changes import ChangeList, ChangeMade, NewChange
from tidegate.core import clock

HELD_S = 5.0


def hold(control: Spawning, for_s: float) -> ChangeMade:
    asked = NewChange(lever="route_off", scope="small", value=1, for_s=for_s, reason="it fails")
    with Control(control.layout.state) as client:
        return client.post("/api/changes", ChangeMade, asked)


def listed(control: Spawning) -> ChangeList:
    with Control(control.layout.state) as client:
        return client.get("/api/changes", ChangeList)


def test_what_is_held_outlives_control_and_not_its_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            control = Spawning(tmp_path)
            (tmp_path / "tidegate.yaml").write_text(PLAN.format(port=up.port))
            await control.start()
            await control.ready()
            one, two = Spawned(control.layout), Spawned(control.layout, 1)
            await one.start()
            request = post(await asyncio.to_thread(control.key), HELLO)

            async def status(gateway: Spawned) -> int:
                return (await ask(gateway.address, request)).status

            assert await status(one) == 200
            begun_s = clock.monotonic_s()
            made = await asyncio.to_thread(hold, control, HELD_S)
            assert made.waiting_for == []
            assert await status(one) == 503
            assert await control.end(signal.SIGKILL) == -signal.SIGKILL
            assert await status(one) == 503
            await two.start()
            assert await status(two) == 503, "read from the database at its start"
            async with asyncio.timeout(PATIENCE_S):
                while 503 in (await status(one), await status(two)):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_S * 5)
            assert clock.monotonic_s() - begun_s >= HELD_S
            assert {await status(one), await status(two)} == {200}
            await control.start()
            await control.ready()
            assert (await asyncio.to_thread(listed, control)).changes[0].state == "lapsed"
            assert {await status(one), await status(two)} == {200}
            for process in (one, two, control):
                await process.end(signal.SIGKILL)

    run(main(), patience_s=3 * PATIENCE_S)
