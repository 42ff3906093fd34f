"""Control, started by a test and not by a supervisor, and clients of the gateways beside it."""

import asyncio
import os
import sys
from pathlib import Path

from tests.gateway.rig import HELLO, spawn
from tests.gateway.spawned import ask, post
from tests.stores import rig

from tidegate.cli._client import Control
from tidegate.control.shapes import KeyMade, NewKey
from tidegate.core.database_ref import DATABASE_VARIABLE
from tidegate.core.layout import Layout

PATIENCE_S = 60.0
LOOK_S = 0.01
PAUSE_S = 0.03  # of each client between two requests, or all of a processor is theirs
# A segment is deleted once it is recorded: small ones, so that this happens between kills too.
PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  small: {{provider: up, model: small, price: free}}
routes: {{small: small}}
storage: {{segment: 64KiB}}
"""


class Spawning:
    """Control as a process of its own, started again and again on one state directory."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / "state")
        self.log = folder / "control.log"
        self._plan = folder / "tidegate.yaml"
        self._url = self.layout.run / "control.url"
        self.process: asyncio.subprocess.Process
        if DATABASE_VARIABLE not in os.environ:  # it need not migrate, which others test
            rig.lay(self.layout.ledger_db)

    async def start(self) -> None:
        self._url.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = await spawn(
                *(sys.executable, "-m", "tidegate.boot.embedded"),
                *("--state", str(self.layout.state), "--plan", str(self._plan)),
                *("--listen", "127.0.0.1:0"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Waits until it serves; the recorder runs by then."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._url.exists():
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(LOOK_S)

    async def end(self, number: int) -> int:
        self.process.send_signal(number)
        return await self.process.wait()

    def key(self) -> str:
        with Control(self.layout.state) as control:
            return control.post("/api/keys", KeyMade, NewKey(name="test", routes=("*",))).key


class Load:
    """Clients that ask until told to stop, of whichever gateway is at `address`, and note how
    every request ended."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        self.address = address
        self.key = key
        self.acknowledged: list[str] = []
        self.failed: list[bytes] = []
        self.stopped = False
        self._requests = [post(key, HELLO), post(key, {**HELLO, "stream": True})]

    async def run(self, number: int) -> None:
        turn = number
        while not self.stopped:
            turn += 1
            try:
                reply = await ask(self.address, self._requests[turn % 2])
            except OSError as error:
                self.failed.append(str(error).encode())
            else:
                if reply.status == 200 and reply.whole:
                    self.acknowledged.append(reply.headers["x-request-id"])
                else:
                    self.failed.append(reply.raw)
            await asyncio.sleep(PAUSE_S)
