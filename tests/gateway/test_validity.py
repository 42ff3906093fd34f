"""What is noted of an answer, and what its contract does with one that breaks it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.contracted import STREAM, contracted, saying, speaking
from tests.gateway.rig import HELLO, run, until
from tests.gateway.upstream import DONE, STREAM_HEAD, Exchange, chunk, completion, cutting, whole

from tidegate.core import clock
from tidegate.core.plan import Contract
from tidegate.core.receipt import Receipt
from tidegate.gateway import stream

JSON = Contract(json=True)
FAIL = Contract(json=True, on_violation="fail")
BUFFER = Contract(json=True, on_violation="fail", buffer=True)
CALL = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}


def noted(
    folder: Path, script: Any, contract: Contract | None = None, body: Any = STREAM
) -> Receipt:
    """The receipt of one request that is answered so."""
    found: list[Receipt] = []

    async def main() -> None:
        async with contracted(folder, script, contract) as (it, _):
            await it.ask(body=body)
            found.append(await it.receipt())

    run(main())
    return found[0]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (saying("hello"), None),
        (saying("hel", finish="length"), "truncated"),
        (saying(), "empty"),
        (speaking([{"reasoning_content": "hm"}]), "empty"),
        (speaking([CALL], "tool_calls"), None),
        (speaking([{"refusal": "No."}]), None),
        (saying("hello", end=DONE + DONE), "duplicate_terminator"),
        (saying("hello", end=DONE + b": a comment\n\n"), None),
        (
            cutting(STREAM_HEAD + chunk(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n')),
            "interrupted",
        ),
        (
            cutting(
                STREAM_HEAD + chunk(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: x\n\n')
            ),
            "malformed",
        ),
        (cutting(STREAM_HEAD), None),
    ],
)
def test_without_a_contract_what_costs_nothing_is_told(tmp_path: Path, script: Any, found: Any):
    receipt = noted(tmp_path, script)
    assert receipt.validity == found
    assert receipt.violation_at_bytes is None and receipt.bytes_before_violation is None


@pytest.mark.parametrize(
    ("text", "finish", "found"),
    [("hello", "stop", None), ("hel", "length", "truncated"), ("", "stop", "empty")],
)
def test_a_whole_answer_is_told_of_too(tmp_path: Path, text: str, finish: str, found: Any):
    answer = completion(text=text)
    answer["choices"][0]["finish_reason"] = finish
    assert noted(tmp_path, whole(answer), None, HELLO).validity == found


def test_a_marked_answer_is_passed_on_as_it_came(tmp_path: Path) -> None:
    async def main() -> None:
        async with contracted(tmp_path, saying('{"a":', "oops", "}"), JSON) as (it, _):
            reply = await it.ask(body=STREAM)
            assert reply.whole and reply.status == 200
            assert b"oops" in reply.body and reply.body.endswith(DONE)
            receipt = await it.receipt()
            assert (receipt.validity, receipt.violation_at_bytes) == ("malformed", 5)
            assert receipt.bytes_before_violation == 5
            assert receipt.error_code is None

    run(main())


def test_an_answer_that_fits_is_valid_and_unchanged(tmp_path: Path) -> None:
    async def main() -> None:
        async with contracted(tmp_path, saying('{"a":', " 1", "}"), FAIL) as (it, _):
            fits = await it.ask(body=STREAM)
            plain = (await it.receipt()).validity
        async with contracted(tmp_path / "b", saying('{"a":', " 1", "}"), BUFFER) as (it, _):
            held = await it.ask(body=STREAM)
            assert (plain, (await it.receipt()).validity) == ("valid", "valid")
        assert fits.body == held.body
        assert held.whole and held.body.endswith(DONE)

    run(main())


def test_a_stream_that_breaks_its_contract_ends_at_once_with_an_error(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def rambling(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            exchange.say('{"a"')
            await go.wait()
            exchange.say(" is")
            await exchange.closed.wait()

        async with contracted(tmp_path, rambling, FAIL) as (it, up):
            asking = asyncio.ensure_future(it.ask(body=STREAM))
            await until(lambda: any(r.flowing for r in it.world.relays))
            go.set()
            reply = await asking
            assert reply.status == 200 and not reply.whole
            assert b" is" not in reply.body and DONE not in reply.body
            assert b'"upstream_invalid_answer"' in reply.events[-1]
            await up.exchanges[0].closed.wait()
            receipt = await it.receipt()
            assert receipt.error_code == "upstream_invalid_answer"
            assert receipt.attempts[0].failure == "malformed"
            assert (receipt.validity, receipt.violation_at_bytes) == ("malformed", 5)
            assert receipt.bytes_before_violation == 4
            assert receipt.cost_nanousd

    run(main())


def test_of_a_buffered_answer_that_does_not_fit_nothing_is_seen_but_an_error(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with contracted(tmp_path, saying('{"a":', " 1"), BUFFER) as (it, up):
            reply = await it.ask(body=STREAM)
            assert (reply.status, reply.code) == (502, "upstream_invalid_answer")
            assert reply.headers["x-should-retry"] == "false"
            receipt = await it.receipt()
            assert (receipt.validity, receipt.bytes_before_violation) == ("malformed", 0)
            assert receipt.ttft_s is None and receipt.first_token_s is not None
            assert receipt.cost_nanousd  # the provider did the work
            await it.ask(body=STREAM)
            assert up.connected == 1  # it ended properly, and its connection is used again

    run(main())


def test_a_buffered_answer_is_first_seen_when_it_is_whole(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def slow(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            exchange.say("[1")
            await go.wait()
            exchange.say("]")
            exchange.end()

        async with contracted(tmp_path, slow, BUFFER) as (it, _):
            asking = asyncio.ensure_future(it.ask(body=STREAM))
            await until(lambda: any(r.chunks for r in it.world.relays))
            [relay] = it.world.relays
            assert not relay.committed
            now_s = clock.monotonic_s()
            it.world.sweep(now_s + 16)  # nobody may take the line for dead meanwhile
            assert relay.committed and not relay.flowing
            go.set()
            reply = await asking
            assert reply.whole
            assert reply.body.startswith(b": keepalive\n\ndata: ")
            assert reply.body.count(b'"content"') == 2
            receipt = await it.receipt()
            assert receipt.ttft_s is not None and receipt.first_token_s is not None
            assert receipt.ttft_s > receipt.first_token_s

    run(main())


def test_after_a_comment_a_buffered_answer_fails_by_an_event(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def slow(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            await go.wait()
            exchange.say("no")
            exchange.end()

        async with contracted(tmp_path, slow, BUFFER) as (it, _):
            asking = asyncio.ensure_future(it.ask(body=STREAM))
            await until(lambda: it.world.relays)
            it.world.sweep(clock.monotonic_s() + 16)
            it.world.sweep(clock.monotonic_s() + 32)
            go.set()
            reply = await asking
            assert reply.status == 200 and not reply.whole
            assert reply.body.count(b": keepalive\n\n") == 2
            assert b'"content"' not in reply.body
            assert b'"upstream_invalid_answer"' in reply.events[-1]

    run(main())


def test_what_is_held_back_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_WITHHELD_BYTES", 2000)

    async def main() -> None:
        async with contracted(tmp_path, saying("[", *["1,"] * 50), BUFFER) as (it, _):
            reply = await it.ask(body=STREAM)
            assert (reply.status, reply.code) == (502, "upstream_too_large")

    run(main())


def test_a_client_that_leaves_a_buffered_answer_stops_the_provider(tmp_path: Path) -> None:
    async def main() -> None:
        async def slow(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            exchange.say("[1")
            await exchange.closed.wait()

        async with contracted(tmp_path, slow, BUFFER) as (it, up):
            _, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            await until(lambda: any(r.chunks for r in it.world.relays))
            writer.transport.abort()
            await up.exchanges[0].closed.wait()
            receipt = await it.receipt()
            assert receipt.error_code == "client_closed"
            assert receipt.validity is None

    run(main())


def test_a_whole_answer_that_breaks_its_contract_is_an_error_in_its_place(tmp_path: Path) -> None:
    async def main() -> None:
        async with contracted(tmp_path, whole(completion(text="Sure!")), FAIL) as (it, _):
            reply = await it.ask(body=HELLO)
            assert (reply.status, reply.code) == (502, "upstream_invalid_answer")
            receipt = await it.receipt()
            assert (receipt.validity, receipt.violation_at_bytes) == ("malformed", 0)
            assert receipt.cost_nanousd
        async with contracted(tmp_path / "b", whole(completion(text="Sure!")), JSON) as (it, _):
            assert (await it.ask(body=HELLO)).status == 200
            assert (await it.receipt()).validity == "malformed"

    run(main())


NO = "I'm sorry, but I can't help with that."


@pytest.mark.parametrize(
    ("script", "extent", "reason"),
    [
        (saying("Here", " you are."), "none", None),
        (saying("I'm sorry to hear that", ". Here is how."), "none", None),
        (saying(*(f"{word} " for word in NO.split(" "))), "full", "policy"),
        (saying("I'm sorry, but I", " can't help with that."), "full", "policy"),
        (speaking([{"reasoning_content": NO}, {"content": "Yes."}]), "none", None),
        (speaking([{"reasoning": "Easy."}, {"content": NO}]), "full", "policy"),
        (speaking([{"refusal": "No."}]), "full", "policy"),
        (saying("So", finish="content_filter"), "full", "policy"),
        (speaking([CALL], "tool_calls"), "none", None),
        (saying(), "full", None),
        (saying(finish="length"), None, None),
        (cutting(STREAM_HEAD), None, None),
    ],
)
def test_whether_the_model_refused(tmp_path: Path, script: Any, extent: Any, reason: Any):
    receipt = noted(tmp_path, script)
    assert (receipt.model_refusal, receipt.model_refusal_reason) == (extent, reason)


def test_a_whole_answer_says_whether_its_model_refused(tmp_path: Path) -> None:
    assert noted(tmp_path, whole(completion(text=NO)), None, HELLO).model_refusal == "full"
    refused = completion(text="")
    refused["choices"][0]["message"] = {"content": None, "refusal": "No."}
    receipt = noted(tmp_path / "b", whole(refused), None, HELLO)
    assert (receipt.model_refusal, receipt.validity) == ("full", None)


def test_of_several_answers_only_the_wires_own_signs_tell(tmp_path: Path) -> None:
    receipt = noted(tmp_path, whole(completion(text=NO)), None, {**HELLO, "n": 2})
    assert receipt.model_refusal is None
