"""Memory of a gateway process: at the start, with a tokenizer and without, after a tokenised
request, and for each open stream.

python -m bench.memory
"""

import asyncio
import tempfile
from pathlib import Path

from tests.gateway.rig import HELLO, plan_of, target
from tests.gateway.spawned import Spawned, ask, lay_out, post
from tests.gateway.upstream import Exchange, Upstream, stalling, whole

from tidegate.core.layout import Layout

STREAMS = 500


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def _laid_out(folder: Path, port: int, tokenizer: str | None) -> tuple[Layout, str]:
    return lay_out(folder, plan_of(target(port, tokenizer=tokenizer)))


async def main() -> None:
    async def both(exchange: Exchange) -> None:
        script = stalling(3) if exchange.json.get("stream") else whole()
        await script(exchange)

    async with Upstream(both) as up:
        with tempfile.TemporaryDirectory() as folder:
            plain = Spawned((await asyncio.to_thread(_laid_out, Path(folder), up.port, None))[0])
            await plain.start()
            bare_kb = resident_kb(plain.process.pid)
            await plain.end()
            print(f"at the start, without tokenizer  {bare_kb / 1024:6.1f} MiB")
        with tempfile.TemporaryDirectory() as folder:
            layout, key = await asyncio.to_thread(_laid_out, Path(folder), up.port, "o200k")
            it = Spawned(layout)
            await it.start()
            pid = it.process.pid
            print(f"at the start, with o200k         {resident_kb(pid) / 1024:6.1f} MiB")
            await ask(it.address, post(key, HELLO))
            served_kb = resident_kb(pid)
            print(f"after the first tokenised answer {served_kb / 1024:6.1f} MiB")
            stream = post(key, {**HELLO, "stream": True})
            asking = [asyncio.create_task(ask(it.address, stream)) for _ in range(STREAMS)]
            await up.arrived(STREAMS + 1)
            await asyncio.sleep(1)
            each_kb = (resident_kb(pid) - served_kb) / STREAMS
            print(f"an open stream, of {STREAMS}            {each_kb:6.1f} KiB")
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await it.end()


if __name__ == "__main__":
    asyncio.run(main())
