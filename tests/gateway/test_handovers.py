"""Handovers: told at least once, whatever becomes of the gateway or of whom they are for."""

import asyncio
import contextlib
import os

import msgspec
import pytest
from tests.gateway.laddered import CHAT, MESSAGES, RESPONSES, SORRY, drilled
from tests.gateway.rig import run, until
from tests.gateway.upstream import Upstream, whole

from tidegate.core.ladder import Handover, Rung, When
from tidegate.core.secret import SecretRef
from tidegate.gateway import handovers
from tidegate.gateway.handovers import Handovers

WHEN = When(("unavailable",))


def rung(port, **fields):
    to = Handover(f"http://127.0.0.1:{port}/desk", **fields)
    return Rung("person", "handover", WHEN, handover=to, text="A colleague answers you.")


@contextlib.asynccontextmanager
async def handing(drill, folder, environ=None, gateway="gateway-0"):
    it = drill.it.world.handovers = Handovers(folder, gateway, environ or {})
    task = asyncio.create_task(it.run())
    try:
        yield it
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await it.stop()


def test_an_address_is_told_and_the_caller_gets_the_stated_answer(tmp_path):
    async def main():
        async with (
            Upstream(whole({"ok": True})) as desk,
            drilled(tmp_path, rung(desk.port), faults=("status:503",)) as it,
            handing(it, tmp_path / "out") as handing_over,
        ):
            reply, receipt = await it.served(user="u-1")
            assert reply.status == 200
            text = reply.json["choices"][0]["message"]["content"]
            assert text == "A colleague answers you."
            assert (receipt.rung, receipt.rung_kind) == ("person", "handover")
            assert receipt.cost_nanousd == 0
            asked = await desk.arrived()
            assert asked.path == b"/desk"
            assert asked.header(b"idempotency-key") == receipt.id.encode()
            said = asked.json
            assert (said["id"], said["route"], said["team"]) == (receipt.id, "small", "team-a")
            assert (said["rung"], said["reason"]) == ("person", "unavailable")
            assert "conversation" not in said
            await until(lambda: handing_over.sent)
            await until(lambda: not handing_over.waiting)
            assert not list((tmp_path / "out").iterdir())

    run(main())


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
def test_what_was_said_goes_along_where_the_plan_says_so(tmp_path, path):
    async def main():
        async with (
            Upstream(whole({})) as desk,
            drilled(tmp_path, rung(desk.port, conversation=True), faults=("drop",)) as it,
            handing(it, tmp_path / "out"),
        ):
            await it.served(path)
            said = (await desk.arrived()).json["conversation"]
            assert b"hi" in msgspec.json.encode(said["turns"])
            assert "left_out" not in said

    run(main())


def test_it_is_sent_until_it_is_taken_with_the_same_id(tmp_path, monkeypatch):
    monkeypatch.setattr(handovers, "FIRST_PAUSE_S", 0.02)

    async def main():
        async with (
            Upstream(whole({}, 500)) as desk,
            drilled(tmp_path, rung(desk.port, token=SecretRef(env="T")), faults=("drop",)) as it,
            handing(it, tmp_path / "out", {"T": "hush"}) as handing_over,
        ):
            _, receipt = await it.served()
            await desk.arrived(2)
            desk.script = whole({})
            await until(lambda: handing_over.sent)
            assert handing_over.failed >= 2
            for exchange in desk.exchanges:
                assert exchange.header(b"authorization") == b"Bearer hush"
                assert exchange.json["id"] == receipt.id

    run(main())


def test_a_gateway_that_was_killed_has_lost_none(tmp_path):
    out = tmp_path / "out"

    async def main():
        async with (
            Upstream(whole({})) as desk,
            drilled(tmp_path, rung(desk.port), faults=("drop",)) as it,
        ):
            it.it.world.handovers = Handovers(out, "gateway-0", {})  # it never runs
            _, receipt = await it.served()
            assert receipt.rung == "person"
            [left] = out.iterdir()
            assert left.stat().st_mode & 0o777 == 0o600
            async with handing(it, out, gateway="gateway-1") as other:
                await asyncio.sleep(0.05)
                assert not other.sent  # its own gateway may be at it
            os.utime(left, (1.0, 1.0))
            async with handing(it, out, gateway="gateway-1") as other:
                await until(lambda: other.sent)
            assert (await desk.arrived()).json["id"] == receipt.id
            it.it.world.handovers = Handovers(out, "gateway-0", {})
            await it.served()
            async with handing(it, out) as again:  # the same one, started again
                await until(lambda: again.sent)

    run(main())


@pytest.mark.parametrize("why", ["full", "disk", "nobody"])
def test_what_cannot_be_promised_is_not(tmp_path, monkeypatch, why):
    monkeypatch.setattr(handovers, "MAX_WAITING", 0 if why == "full" else 1000)

    async def main():
        async with drilled(tmp_path, rung(9), SORRY, faults=("drop",)) as it:
            folder = tmp_path / "out"
            if why == "disk":
                folder.write_text("in the way")
            if why != "nobody":
                it.it.world.handovers = Handovers(folder, "gateway-0", {})
            reply, receipt = await it.served()
            assert (receipt.rung, reply.status) == ("sorry", 200)
            if why != "nobody":
                assert it.it.world.handovers.lost[why] == 1

    run(main())


def test_what_is_no_handover_is_passed_over(tmp_path):
    async def main():
        out = tmp_path / "out"
        out.mkdir()
        (out / "odd.handover").write_bytes(b"?")
        async with drilled(tmp_path, rung(9)) as it, handing(it, out) as found:
            await asyncio.sleep(0.05)
            assert not found.waiting

    run(main())


def test_a_long_conversation_is_left_out_and_said_so(tmp_path):
    async def main():
        async with (
            Upstream(whole({})) as desk,
            drilled(tmp_path, rung(desk.port, conversation=True), faults=("drop",)) as it,
            handing(it, tmp_path / "out"),
        ):
            long = "x" * handovers.MAX_BODY_BYTES
            await it.served(messages=[{"role": "user", "content": long}])
            assert (await desk.arrived()).json["conversation"]["left_out"] is True

    run(main())
