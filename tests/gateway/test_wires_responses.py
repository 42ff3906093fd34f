"""OpenAI's Responses over targets of either wire, as the official client sees them."""

from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest
from pydantic import BaseModel
from tests.gateway.rig import Gateway, gateway, run, target
from tests.gateway.test_wires import SAID as ANTHROPIC
from tests.gateway.test_wires import STREAMED, anthropic
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    completion,
    delta,
    streaming,
    whole,
)
from tests.providers.responses_wire import calls, chat, response

RESPONSES = "/v1/responses"
ASKED: dict[str, Any] = {"model": "small", "input": "hi"}
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "tide",
    "parameters": {"type": "object", "properties": {"at": {"type": "integer"}}},
    "strict": False,
}


class Tide(BaseModel):
    metres: float


def client(it: Gateway) -> openai.AsyncOpenAI:
    host, port = it.address
    base_url = f"http://{host}:{port}/v1"
    return openai.AsyncOpenAI(api_key=it.key, base_url=base_url, max_retries=0, timeout=20)


def sending(body: bytes) -> Script:
    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + chunk(body) + b"0\r\n\r\n")

    return script


async def calling(exchange: Exchange) -> None:
    """A call in chunks of chat, whose arguments come in two."""
    exchange.send(STREAM_HEAD)
    function = {"name": "tide", "arguments": '{"at"'}
    first = {"index": 0, "id": "c1", "type": "function", "function": function}
    exchange.event(delta({"tool_calls": [first]}))
    exchange.event(delta({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}))
    exchange.end(finish="tool_calls")


def test_a_whole_answer_of_a_target_that_speaks_chat(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port)) as it,
            client(it) as api,
        ):
            raw = await api.responses.with_raw_response.create(
                model="small", input="hi", instructions="be short", max_output_tokens=50, user="u-7"
            )
            told = raw.parse()
            assert (told.output_text, told.status, told.model) == ("hello", "completed", "served")
            assert told.usage is not None
            assert (told.usage.input_tokens, told.usage.output_tokens) == (11, 5)
            assert raw.headers["x-tidegate-dropped"] == "store"
            assert len(raw.headers.get_list("x-request-id")) == 1
            sent = up.exchanges[0]
            assert sent.path == b"/v1/chat/completions"
            assert sent.json["messages"] == [
                {"role": "system", "content": "be short"},
                {"role": "user", "content": "hi"},
            ]
            assert sent.json["max_tokens"] == 50
            receipt = await it.receipt()
            assert (receipt.dialect, receipt.end_user) == ("openai_responses", "u-7")
            assert (receipt.input_tokens, receipt.output_tokens) == (11, 5)
            assert (receipt.output_ceiling_tokens, receipt.dropped) == (50, ["store"])
            assert told.id == f"resp_{receipt.id}"

    run(main())


@pytest.mark.parametrize("wire", ["chat", "anthropic", "responses"])
def test_a_stream(tmp_path: Path, wire: str) -> None:
    script = {
        "chat": streaming(3),
        "anthropic": sending(STREAMED),
        "responses": sending(chat("hel", "lo")),
    }[wire]

    async def main() -> None:
        async with Upstream(script) as up:
            to = {
                "chat": target(up.port),
                "anthropic": anthropic(up.port),
                "responses": target(up.port, dialect="openai"),
            }[wire]
            async with gateway(tmp_path, to) as it, client(it) as api:
                events = []
                async with api.responses.stream(model="small", input="hi") as stream:
                    async for event in stream:
                        events.append(event)
                    final = await stream.get_final_response()
                numbers = [event.sequence_number for event in events]
                assert numbers == list(range(len(events)))
                assert events[0].type == "response.created"
                assert events[-1].type == "response.completed"
                assert final.output_text == ("t0 t1 t2 " if wire == "chat" else "hello")
                receipt = await it.receipt()
                assert receipt.stream and receipt.error_code is None
                assert final.usage is not None
                assert final.usage.input_tokens == receipt.total_input_tokens
                assert not receipt.tokens_estimated

    run(main())


def test_tools_held_over_two_turns(tmp_path: Path) -> None:
    """The first turn streamed, the second whole, with what the first has said in it."""

    async def main() -> None:
        async with (
            Upstream(calling) as up,
            gateway(tmp_path, target(up.port)) as it,
            client(it) as api,
        ):
            asked: dict[str, Any] = {"model": "small", "tools": [TOOL], "store": False}
            items: list[Any] = [{"role": "user", "content": "how high?"}]
            choice = {"type": "function", "name": "tide"}
            async with api.responses.stream(**asked, input=items, tool_choice=choice) as stream:
                async for _ in stream:
                    pass
                final = await stream.get_final_response()
            [call] = final.output
            assert call.type == "function_call"
            assert (call.call_id, call.name, call.arguments) == ("c1", "tide", '{"at":1}')
            assert up.exchanges[0].json["tool_choice"]["function"] == {"name": "tide"}
            up.script = whole()
            items += [item.model_dump() for item in final.output]
            items.append({"type": "function_call_output", "call_id": "c1", "output": "4 m"})
            told = await api.responses.create(**asked, input=items)
            assert told.output_text == "hello"
            user, said, answered = up.exchanges[1].json["messages"]
            assert user == {"role": "user", "content": "how high?"}
            function = {"name": "tide", "arguments": '{"at":1}'}
            assert said["tool_calls"] == [{"id": "c1", "type": "function", "function": function}]
            assert answered == {"role": "tool", "tool_call_id": "c1", "content": "4 m"}
            assert (await it.receipt(2)).dropped == []

    run(main())


def test_an_answer_of_a_form(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole(completion(text='{"metres":4.5}'))) as up,
            gateway(tmp_path, target(up.port)) as it,
            client(it) as api,
        ):
            told = await api.responses.parse(model="small", input="hi", text_format=Tide)
            assert told.output_parsed == Tide(metres=4.5)
            form = up.exchanges[0].json["response_format"]
            assert form["type"] == "json_schema"
            assert form["json_schema"]["strict"] is True
            assert form["json_schema"]["schema"]["required"] == ["metres"]

    run(main())


def test_an_anthropic_target_s_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole(ANTHROPIC)) as up,
            gateway(tmp_path, anthropic(up.port)) as it,
            client(it) as api,
        ):
            told = await api.responses.create(model="small", input="hi", max_output_tokens=50)
            assert told.output_text == "hello"
            assert told.usage is not None
            assert told.usage.input_tokens_details.cached_tokens == 4
            assert up.exchanges[0].json["max_tokens"] == 50

    run(main())


def test_the_same_wire_passes_as_the_bytes_that_came(tmp_path: Path) -> None:
    """What is not stored has no name of ours."""

    async def main() -> None:
        said = msgspec.json.encode(response())
        async with (
            Upstream(whole(said)) as up,
            gateway(tmp_path, target(up.port, dialect="openai", model="small")) as it,
        ):
            body = b'{"model":"small","odd":1.50,"input":[],"store":false,"tools":[{"type":"x"}]%b}'
            reply = await it.ask(RESPONSES, body % b"")
            assert (reply.status, reply.body) == (200, said)
            assert up.exchanges[0].path == b"/v1/responses"
            assert up.exchanges[0].body == body % b""
            up.script = sending(calls())
            reply = await it.ask("/responses", body % b',"stream":true')
            assert reply.body == calls()
            receipt = await it.receipt(2)
            assert (receipt.finish_reason, receipt.input_tokens) == ("tool_calls", 7)
            assert (receipt.reasoning_tokens, receipt.dropped) == (6, [])

    run(main())


def test_a_bound_of_ours_is_sent_as_this_wire_s(tmp_path: Path) -> None:
    from tests.gateway.limited import budget

    async def main() -> None:
        to: dict[str, Any] = {"dialect": "openai", "model": "served-model"}
        async with (
            Upstream(whole(response())) as up,
            gateway(tmp_path, target(up.port, **to), limits=(budget(10_000_000),)) as it,
        ):
            assert (await it.ask(RESPONSES, ASKED)).status == 200
            assert up.exchanges[0].json["max_output_tokens"] > 0
            assert "max_tokens" not in up.exchanges[0].json

    run(main())


def test_a_stream_that_is_cut_ends_in_one_numbered_error(tmp_path: Path) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.say("half")
        exchange.transport.close()

    async def cut_responses(exchange: Exchange) -> None:
        data = chat("high", "tide")
        exchange.send(STREAM_HEAD + chunk(data[: data.rindex(b"event:")]))
        exchange.transport.close()

    async def main() -> None:
        for script, more in ((cut, {}), (cut_responses, {"dialect": "openai"})):
            folder = tmp_path / str(len(more))
            async with Upstream(script) as up, gateway(folder, target(up.port, **more)) as it:
                reply = await it.ask(RESPONSES, {**ASKED, "stream": True})
                events = [msgspec.json.decode(one.split(b"data: ")[1]) for one in reply.events]
                assert [one["sequence_number"] for one in events] == list(range(len(events)))
                assert (events[0]["type"], events[-1]["type"]) == ("response.created", "error")
                assert events[-1]["code"] == "upstream_interrupted"
                assert not any(one["type"] == "response.completed" for one in events)
                assert (await it.receipt()).interrupted

    run(main())


def test_errors_are_openai_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it, client(it) as api:
            for members, param in (
                ({"input": None}, "input"),
                ({"max_output_tokens": 0}, "max_output_tokens"),
                ({"previous_response_id": "resp_1"}, "previous_response_id"),
                ({"tools": [{"type": "web_search"}]}, "tools[0]"),
                ({"background": True}, "background"),
            ):
                with pytest.raises(openai.BadRequestError) as no:
                    await api.responses.create(**{**ASKED, **members})
                assert no.value.param == param
            with pytest.raises(openai.NotFoundError):
                await api.responses.create(model="none", input="x")
            assert up.exchanges == []
            assert (await it.ask(RESPONSES, method="GET")).status == 405

    run(main())
