"""Releases that are up but worse are rolled back, one that is equal is promoted: through control,
recorder and a gateway of their own, over real sockets."""

import asyncio
import signal
from pathlib import Path

from tests.e2e.apart import Spawning
from tests.e2e.releases import HARM, Engine, Releasing, Traffic, lay_out
from tests.gateway.spawned import Spawned
from tests.gateway.upstream import Upstream

HARMS = {
    "same": HARM,
    "longer": HARM,
    "invalid": f"{HARM}, invalid: {{margin: 0.1}}",
    "slower": HARM,
    "refusing": HARM,
}


# Beside the equal one on its route, in the other lane: what it adds makes answers longer.
WORDY = """\
owner: bo
change: {parameters: {temperature: 1.5}}
orthogonal: true
harm: {output_tokens: {}}
steps:
  - {weight: 50%, min_units: 100, min: 500ms, max: 100s}
"""


def test_those_that_are_worse_go_back_and_an_equal_one_is_promoted(tmp_path: Path) -> None:
    asyncio.run(releases(tmp_path))


async def releases(folder: Path) -> None:
    engine = Engine()
    async with Upstream(engine) as up:
        lay_out(folder, up.port, HARMS)
        with (folder / "releases/to-same/next.yaml").open("a") as file:
            file.write("orthogonal: true\n")
        (folder / "releases/to-same/wordy.yaml").write_text(WORDY)
        control = Spawning(folder)
        await control.start()
        await control.ready()
        gateway = Spawned(control.layout)
        await gateway.start()
        routes = [*(f"to-{name}" for name in HARMS), "to-same"]  # two releases share this one
        traffic = Traffic(gateway.address, await asyncio.to_thread(control.key), routes)
        traffic.start()
        people = Releasing(control)
        names = [*(f"to-{name}/next" for name in HARMS), "to-same/wordy"]
        for name in names:
            await asyncio.to_thread(people.create_and_start, name)
        ends = await asyncio.gather(*(people.until(it, "rolled_back", "done") for it in names))
        for name in ("longer", "invalid", "slower", "refusing"):
            engine.asked[name] = 0
        answered = traffic.answered
        await asyncio.sleep(1.0)
        await traffic.stop()
        assert await control.end(signal.SIGTERM) == 0, control.log.read_text()
        assert await gateway.end() == 0
    for end in ends:
        print(f"\n{end.release.id}")
        began_s = end.time_line[0].at_s
        for line in end.time_line:
            print(f"  {line.at_s - began_s:6.1f} s  {line.state}  {line.step + 1}  {line.why}")
    states = {end.release.id: (end.release.state, end.release.reason) for end in ends}
    assert states["to-same/next"][0] == "done", states
    assert states["to-same/wordy"][0] == "rolled_back", states
    assert "output_tokens is worse" in states["to-same/wordy"][1], states
    for name, words in (
        ("longer", ("output_tokens",)),
        # By its verdict, or by a hard limit where the first of its answers happen to be bad.
        ("invalid", ("invalid", "its answers broke their contract", "its first requests")),
        ("slower", ("ttft",)),
        ("refusing", ("refusal",)),
    ):
        state, why = states[f"to-{name}/next"]
        assert state == "rolled_back" and any(it in why for it in words), states
        assert engine.asked[name] == 0, name
    assert traffic.answered > answered
    assert not traffic.failed, traffic.failed[0]
