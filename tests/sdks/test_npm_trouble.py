"""The official npm clients when something goes wrong: errors, retries, and clients that leave."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from tests.gateway.limited import limit
from tests.gateway.rig import Gateway, gateway, run, spawn, target
from tests.gateway.upstream import Upstream, answer_bytes, completion, content, stalling, whole
from tests.sdks.npm import JAVASCRIPT, node

WIRES = ("chat", "messages")


async def steps(it: Gateway, *names: str, key: str = "", model: str = "small") -> list[Any]:
    """What came of each step, in order, in one process."""
    host, port = it.address
    process = await spawn(
        *(node(), str(JAVASCRIPT / "trouble.mjs"), f"http://{host}:{port}", key or it.key, model),
        *names,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [msgspec.json.decode(line) for line in out.splitlines()]


def test_errors_are_those_of_the_library_and_say_whose_receipt(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            both = [f"ask:{wire}" for wire in WIRES]
            wrong = await steps(it, *both, key="sk-tg-aaaaaaaa_" + "b" * 32)
            assert [one["name"] for one in wrong] == ["AuthenticationError"] * 2
            assert wrong[0]["code"] == "invalid_api_key"
            missing = await steps(it, *both, model="none")
            assert [(one["name"], one["status"]) for one in missing] == [("NotFoundError", 404)] * 2
            assert [one["id"] for one in missing] == [receipt.id for receipt in it.receipts()]

    run(main())


def test_they_come_again_when_they_are_told_to_and_only_then(tmp_path: Path) -> None:
    """At the time that is said, for what may work later."""

    async def main() -> None:
        left = [1, 1]

        async def script(exchange: Any) -> None:
            if left and left[0]:
                left[0] -= 1
                exchange.send(answer_bytes(503, b"{}"))
                return
            left[:1] = []
            exchange.send(answer_bytes(200, msgspec.json.encode(completion())))

        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            told = await steps(it, *(f"ask:{wire}" for wire in WIRES))
            assert told == [{"text": "hello"}] * 2
            receipts = it.receipts()
            assert [receipt.status for receipt in receipts] == [503, 200, 529, 200]
            assert [receipt.retry_count for receipt in receipts] == [0, 1] * 2

    run(main())


def test_who_would_have_to_wait_for_long_is_told_and_does_not_wait(tmp_path: Path) -> None:
    """The one library would wait as long as it is told, the other would come again at once."""

    async def main() -> None:
        limits = (limit("requests", 1, per_s=86_400.0, burst=1),)
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port), limits=limits) as it:
            first, *others = await steps(it, "ask:chat", *(f"ask:{wire}" for wire in WIRES))
            assert first == {"text": "hello"}
            for told in others:
                assert (told["name"], told["status"]) == ("RateLimitError", 429)
                assert int(told["after"]) > 60

    run(main())


def test_who_leaves_in_the_middle_ends_the_provider_s_work(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(2)) as up, gateway(tmp_path, target(up.port)) as it:
            for told in await steps(it, *(f"leave:{wire}" for wire in WIRES)):
                assert told.get("pieces", 2) == 2
            for number in (1, 2):
                await (await up.arrived(number)).closed.wait()
                receipt = await it.receipt(number)
                assert (receipt.error_code, receipt.cancelled_by) == ("client_closed", "client")

    run(main())


def test_a_stream_that_breaks_is_an_error_and_no_short_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async def script(exchange: Any) -> None:
            exchange.event(content("half "))
            exchange.transport.abort()

        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            for told in await steps(it, *(f"stream:{wire}" for wire in WIRES)):
                assert told.get("name") in ("APIError", "InternalServerError"), told

    run(main())
