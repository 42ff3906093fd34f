"""Which requests are kept with what was said, and that none waits or fails for it."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.rig import HELLO, run, until
from tests.gateway.routed import at
from tests.gateway.spools import ALL, keeping
from tests.gateway.upstream import Exchange, Upstream, streaming, whole
from tests.providers.responses_wire import response

from tidegate.core.capture import Capture
from tidegate.gateway import captures as captures_of

STREAMED = {**HELLO, "stream": True}


def test_a_whole_answer_and_a_stream_are_kept_as_they_were_relayed(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, keeping(tmp_path, at(up, "a")) as kept:
            reply = await kept.it.ask()
            [first] = await kept.settled(1)
            assert first.receipt_id == reply.headers["x-request-id"]
            assert first.answer == reply.json["choices"][0]["message"]["content"]
            assert msgspec.json.decode(first.messages) == HELLO["messages"]
            assert (first.route, first.target, first.team) == ("small", "a", "team-a")
            up.script = streaming()
            reply = await kept.it.ask(body=STREAMED)
            _, second = await kept.settled(2)
            said = [msgspec.json.decode(it) for it in reply.events if it != b"[DONE]"]
            text = [it["choices"][0]["delta"].get("content") for it in said if it["choices"]]
            assert second.answer == "".join(filter(None, text)) != ""
            assert not second.cut and not second.shortened

    run(main())


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/messages", {"messages": HELLO["messages"], "max_tokens": 50, "system": "be calm"}),
        ("/v1/responses", {"input": "hi", "instructions": "be calm"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_other_wires_are_kept_alike(
    tmp_path: Path, path: str, content: dict[str, object], stream: bool
) -> None:
    async def main() -> None:
        script = streaming(3) if stream else whole()
        async with Upstream(script) as up, keeping(tmp_path, at(up, "a")) as kept:
            body = {"model": "small", "stream": stream, **content}
            reply = await kept.it.ask(path, body)
            assert reply.status == 200, reply.raw
            [one] = await kept.settled(1)
            said = msgspec.json.decode(one.messages)
            assert [(it["role"], it["content"]) for it in said] == [
                ("system", "be calm"),
                ("user", "hi"),
            ]
            assert one.answer and not one.cut
            assert one.answer.split()[0].encode() in reply.body

    run(main())


def test_what_the_client_left_is_marked_as_cut(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
        exchange.send(b"transfer-encoding: chunked\r\n\r\n")
        exchange.say("one two")
        await exchange.closed.wait()

    async def main() -> None:
        async with Upstream(script) as up, keeping(tmp_path, at(up, "a")) as kept:
            reader, writer = await kept.it.connect()
            writer.write(kept.it.request(body=STREAMED))
            await reader.readuntil(b"two")
            writer.transport.abort()
            [cut] = await kept.settled(1)
            assert cut.cut and cut.answer == "one [torn]"

    run(main())


def turns(*said: str) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": it} for n, it in enumerate(said)]
    return {**HELLO, "messages": messages}


def test_a_conversation_is_kept_whole_or_not_at_all_by_every_gateway(tmp_path: Path) -> None:
    async def kept_of(folder: Path) -> dict[str, set[str | None]]:
        half = Capture(0.5)
        found: dict[str, set[str | None]] = {}
        async with Upstream(whole()) as up, keeping(folder, at(up, "a"), capture=half) as kept:
            for number in range(24):
                first = f"question {number}"
                for body in (turns(first), turns(first, "so", "more"), turns(first, "so", "more?")):
                    assert (await kept.it.ask(body=body)).status == 200
            kept.captures.close()
            for it in kept.captured():
                first = msgspec.json.decode(it.messages)[0]["content"]
                found.setdefault(first, set()).add(it.conversation)
            assert len(kept.captured()) == 3 * len(found)
        return found

    async def main() -> None:
        one = await kept_of(tmp_path / "one")
        assert 3 < len(one) < 21
        assert all(len(names) == 1 and None not in names for names in one.values())

    run(main())


@pytest.mark.parametrize(
    ("asked", "known"),
    [({}, False), ({"store": False}, True), ({"session": "s"}, True)],
    ids=["kept_elsewhere", "not_kept", "named"],
)
def test_what_may_go_on_unseen_is_of_no_known_conversation(
    tmp_path: Path, asked: dict[str, Any], known: bool
) -> None:
    async def main() -> None:
        speaking = whole(response())
        async with (
            Upstream(speaking) as up,
            keeping(tmp_path, at(up, "a", dialect="openai")) as kept,
        ):
            body, headers = {"model": "small", "input": "hi", **asked}, {}
            headers["authorization"] = f"Bearer {kept.it.key}"
            if session := body.pop("session", None):
                headers["x-tidegate-session-id"] = session
            reply = await kept.it.ask("/v1/responses", body, headers)
            assert reply.status == 200, reply.raw
            [one] = await kept.settled(1)
            assert (one.conversation is not None) is known

    run(main())


@pytest.mark.parametrize(
    ("capture", "key"),
    [
        (None, {}),
        (Capture(1e-12), {}),
        (ALL, {"purpose": "eval"}),
    ],
    ids=["off", "not_drawn", "eval"],
)
def test_nothing_is_kept_that_was_not_asked_for(
    tmp_path: Path, capture: Capture | None, key: dict[str, str]
) -> None:
    async def main() -> None:
        async with (
            Upstream(whole()) as up,
            keeping(tmp_path, at(up, "a"), capture=capture) as kept,
        ):
            headers = {"authorization": f"Bearer {kept.it.store.add(**key)}"}
            assert (await kept.it.ask(headers=headers)).status == 200
            kept.captures.close()
            assert kept.captured() == []
            assert not kept.it.layout.spool.exists()

    run(main())


def test_evals_are_kept_where_a_route_asks_for_them(tmp_path: Path) -> None:
    async def main() -> None:
        wanted = Capture(1.0, also=("eval",))
        async with Upstream(whole()) as up, keeping(tmp_path, at(up, "a"), capture=wanted) as kept:
            headers = {"authorization": f"Bearer {kept.it.store.add(purpose='eval')}"}
            assert (await kept.it.ask(headers=headers)).status == 200
            [one] = await kept.settled(1)
            assert one.purpose == "eval"

    run(main())


def test_a_failure_and_a_long_question_leave_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        small = Capture(1.0, max_bytes=1024)
        long = {**HELLO, "messages": [{"role": "user", "content": "x" * 2000}]}
        async with (
            Upstream(whole({"error": {"message": "no"}}, status=400)) as up,
            keeping(tmp_path, at(up, "a"), capture=small) as kept,
        ):
            assert (await kept.it.ask()).status == 400
            up.script = whole()
            assert (await kept.it.ask(body=long)).status == 200
            assert kept.captures.dropped == {"too_long": 1}
            assert await kept.settled(1) == []

    run(main())


def test_where_there_is_no_room_the_capture_is_dropped_and_the_request_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, keeping(tmp_path, at(up, "a")) as kept:
            kept.captures.spool._max_bytes = 10
            assert (await kept.it.ask()).status == 200
            await until(lambda: kept.captures.dropped["full"] == 1)
            monkeypatch.setattr(captures_of, "MAX_WAITING_BYTES", 10)
            assert (await kept.it.ask()).status == 200
            await until(lambda: kept.captures.dropped["busy"] == 1)
            assert kept.captured() == []

    run(main())


def test_a_record_that_cannot_be_made_is_told_without_what_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("the secret hi")

    async def main() -> None:
        monkeypatch.setattr(captures_of, "record", broken)
        async with Upstream(whole()) as up, keeping(tmp_path, at(up, "a")) as kept:
            assert (await kept.it.ask()).status == 200
            await until(lambda: kept.captures.dropped["unreadable"] == 1)
            await asyncio.sleep(0)

    run(main())
    assert "is not captured: ValueError" in caplog.text
    assert "secret hi" not in caplog.text


def test_nothing_that_was_said_is_on_the_receipt(tmp_path: Path) -> None:
    canary = "canary-7f3a"

    async def main() -> None:
        async with Upstream(whole()) as up, keeping(tmp_path, at(up, "a")) as kept:
            said = {**HELLO, "messages": [{"role": "user", "content": canary}]}
            assert (await kept.it.ask(body=said)).status == 200
            [one] = await kept.settled(1)
            assert canary in one.messages
            written = b"".join(it.read_bytes() for it in kept.it.journal.folder.glob("*.journal"))
            assert canary.encode() not in written
            assert canary not in str(kept.it.vitals.status())

    run(main())
