"""A credential in a file is rotated by writing the file: nobody touches the plan."""

import asyncio
import signal
from pathlib import Path

from tests.e2e.test_kill_control import Spawning
from tests.gateway.rig import HELLO, run
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import Upstream

PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: "file:secret"}}
targets:
  small: {{provider: up, model: small, price: free}}
routes: {{small: small}}
"""


def test_a_credential_written_to_its_file_is_sent_without_a_change_of_the_plan(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the first one\n")

    async def main() -> None:
        async with Upstream() as up:
            (tmp_path / "tidegate.yaml").write_text(PLAN.format(port=up.port))
            control = Spawning(tmp_path)
            await control.start()
            await control.ready()
            key = await asyncio.to_thread(control.key)
            gateway = Spawned(control.layout)
            await gateway.start()

            async def sent() -> bytes | None:
                assert (await ask(gateway.address, post(key, HELLO))).status == 200
                return up.exchanges[-1].header(b"authorization")

            assert await sent() == b"Bearer the first one"
            secret.write_text("the second one\n")
            while await sent() != b"Bearer the second one":  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.05)
            assert await gateway.end() == 0
            assert await control.end(signal.SIGTERM) == 0

    run(main())
