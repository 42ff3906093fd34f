"""The examples in TypeScript: their types fit the clients, and they run against a real gateway."""

import asyncio
import os
import subprocess
from pathlib import Path

from tests.gateway.rig import gateway, run, spawn, target
from tests.sdks.npm import EXAMPLES, node
from tests.sim.rig import engine

from tidegate.core.receipt import Receipt

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.ts") if path.stem != "tidegate")


def test_their_types_fit() -> None:
    compiler = str(EXAMPLES / "node_modules/typescript/bin/tsc")
    command = [node(), compiler]
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


async def output(name: str, address: tuple[str, int], key: str, *arguments: str) -> str:
    host, port = address
    environ = {**os.environ, "TIDEGATE_URL": f"http://{host}:{port}", "TIDEGATE_API_KEY": key}
    process = await spawn(
        *(node(), str(EXAMPLES / f"{name}.ts"), *arguments),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()
    return out.decode()


def test_each_runs_and_says_what_its_receipt_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as sim:
            one = target(sim.port, "chat", dialect="sim", model="sim")
            async with gateway(tmp_path, one) as it:
                told: dict[str, tuple[str, list[Receipt]]] = {}
                for name in NAMES:
                    before = len(it.receipts())
                    said = await output(name, it.address, it.key)
                    told[name] = said, it.receipts()[before:]
                assert all(r.status == 200 for _, receipts in told.values() for r in receipts)
                for name in ("chat-stream", "vercel-ai"):
                    said, [receipt] = told[name]
                    tokens = (receipt.input_tokens or 0) + (receipt.output_tokens or 0)
                    assert said.endswith(f"\n{tokens} tokens\n") and receipt.stream
                said, [receipt] = told["messages"]
                assert f"{receipt.output_tokens} tokens" in said
                assert receipt.dialect == "anthropic_messages"
                said, receipts = told["tools"]
                assert said.startswith("asked for the tide in ") and len(receipts) == 2
                said, [receipt] = told["attribution"]
                assert f"receipt {receipt.id}" in said
                assert (receipt.session_id, receipt.end_user) == ("conversation-7", "user-42")
                assert receipt.priority == "batch"
                assert receipt.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"

    run(main())


def test_the_one_of_errors_says_each(tmp_path: Path) -> None:
    async def main() -> None:
        faults = ("status:429 retry_after=0 times=1 model=later", "status:400 model=wrong")
        async with engine(*faults, models=("later", "wrong")) as sim:
            targets = [
                target(sim.port, name, dialect="sim", model=name) for name in ("later", "wrong")
            ]
            async with gateway(tmp_path, *targets) as it:
                said = await output("errors", it.address, it.key, "later", "wrong", "none")
                later, wrong, none = said.splitlines()
                assert later and ":" not in later[:4]
                assert wrong.startswith("400 rejected_by_provider: ")
                assert none.startswith("404 model_not_found: ")
                statuses = [receipt.status for receipt in it.receipts()]
                assert statuses == [429, 200, 400, 404]
            gone = await output("errors", ("127.0.0.1", 1), "x")
            assert gone == "the gateway was not reached\n"

    run(main())
