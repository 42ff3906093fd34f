"""kill -9 of control in every state of a release: traffic never stops, what the loop held runs out,
and the release goes on from where it was."""

import asyncio
import signal
from pathlib import Path

import pytest
from tests.e2e.apart import PATIENCE_S, Spawning
from tests.e2e.releases import Engine, Releasing, Traffic, lay_out
from tests.gateway.rig import until
from tests.gateway.spawned import Spawned
from tests.gateway.upstream import Upstream

LEASE_S = 1.0  # four ticks
MORE = """\
gates: [evals]
approvals: {step: 1, promotion: 1}
shadow: {share: 50%, min_requests: 20, usd: 1}
"""
HARM = "error: {margin: 0.3}"
SAME, LONGER = "to-same/next", "to-longer/next"
# Who is asked while control is away and what it held has run out.
SERVED_BY = {"promoted": "same", "soak": "same", "done": "same"}


class Killing:
    """One house whose control is killed again and again."""

    def __init__(self, control: Spawning, engine: Engine, traffic: Traffic) -> None:
        self._control = control
        self._engine = engine
        self._traffic = traffic
        self.people = Releasing(control)
        self.killed: list[str] = []

    async def kill_at(self, name: str, *states: str) -> None:
        """Wait for one of these states, kill, watch traffic go on without it, start again."""
        state = (await self.people.until(name, *states)).release.state
        if state == "promoted":  # what is decided, gateways hear a little later
            await self._more_answers(60)
        assert await self._control.end(signal.SIGKILL) == -signal.SIGKILL
        self.killed.append(state)
        await asyncio.sleep(LEASE_S + 0.3)
        candidate = name.removeprefix("to-").removesuffix("/next")
        expected = SERVED_BY.get(state, "old")
        asked = self._engine.asked[candidate]
        await self._more_answers(30)
        if expected == "old":
            assert self._engine.asked[candidate] == asked, f"{candidate} is asked in {state}"
        else:
            async with asyncio.timeout(PATIENCE_S):  # its turn may come late on a busy machine
                await until(lambda: self._engine.asked[candidate] > asked)
        assert not self._traffic.failed, self._traffic.failed[0]
        await self._control.start()
        await self._control.ready()

    async def _more_answers(self, count: int) -> None:
        answered = self._traffic.answered
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: self._traffic.answered > answered + count)


@pytest.mark.timeout(300)  # ten kills, each with a lease that runs out and a start
def test_control_is_killed_in_every_state_of_a_release(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path))


async def kills(folder: Path) -> None:
    engine = Engine()
    async with Upstream(engine) as up:
        harms = {"same": HARM, "longer": "output_tokens: {}"}
        lay_out(folder, up.port, harms, lease=f"{LEASE_S}s", soak="3s", more=MORE)
        (folder / "releases/to-longer/next.yaml").write_text(
            "owner: ada\nchange: {target: longer}\nharm: {output_tokens: {}}\n"
            "steps: [{weight: 50%, min_units: 100, min: 1m, max: 2m}]\n"
        )
        control = Spawning(folder)
        await control.start()
        await control.ready()
        gateways = [Spawned(control.layout, slot) for slot in range(2)]
        for gateway in gateways:
            await gateway.start()
        key = await asyncio.to_thread(control.key)
        traffic = Traffic(gateways[0].address, key, ["to-same", "to-longer"])
        traffic.start(3)
        killing = Killing(control, engine, traffic)
        await through(killing, gateways[1])
        await back(killing)
        await traffic.stop()
        assert await control.end(signal.SIGTERM) == 0
        for gateway in gateways:
            assert await gateway.end() == 0
    assert {"created", "gated", "shadow", "step", "analysing", "paused"} <= set(killing.killed)
    assert {"promoted", "soak", "done", "rolled_back"} <= set(killing.killed)


async def through(killing: Killing, quiet: Spawned) -> None:
    """A release from its creation to its end. `quiet` is a gateway that nobody asks: while it
    stands still nobody knows that the promotion is obeyed everywhere."""

    async def asked(what: str, reason: str = "") -> None:
        await asyncio.to_thread(killing.people.ask, SAME, what, reason)  # type: ignore[arg-type]

    await asyncio.to_thread(killing.people.create, SAME)
    await killing.kill_at(SAME, "created")
    await asked("start")
    await killing.kill_at(SAME, "gated")
    await asyncio.to_thread(killing.people.passed, SAME, "evals")
    await killing.kill_at(SAME, "shadow")
    await killing.kill_at(SAME, "step")
    await killing.kill_at(SAME, "analysing")
    await asked("pause")
    await killing.kill_at(SAME, "paused")
    await asked("resume")
    await approved(killing, 2)
    await approved(killing, 3)
    await killing.people.until(SAME, "analysing")
    quiet.send_signal(signal.SIGSTOP)
    try:
        await asyncio.to_thread(killing.people.approve, SAME)
        await killing.kill_at(SAME, "promoted")
    finally:
        quiet.send_signal(signal.SIGCONT)
    await killing.kill_at(SAME, "soak")
    await killing.kill_at(SAME, "done")
    end = await asyncio.to_thread(killing.people.explain, SAME)
    states = [line.state for line in end.time_line]
    assert states.count("promoted") == 1, states


async def approved(killing: Killing, step: int) -> None:
    """Once it waits for people, one says yes; until it is at this step."""
    while (found := await killing.people.until(SAME, "step", "analysing")).release.step + 1 < step:
        if found.release.waits_for:
            await asyncio.to_thread(killing.people.approve, SAME)
        await asyncio.sleep(0.3)


async def back(killing: Killing) -> None:
    """One that is worse stays away, whoever dies."""
    await asyncio.to_thread(killing.people.create_and_start, LONGER)
    await killing.kill_at(LONGER, "rolled_back")
    end = await asyncio.to_thread(killing.people.explain, LONGER)
    assert [line.state for line in end.time_line].count("rolled_back") == 1
