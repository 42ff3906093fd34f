"""What is asked after an answer that its provider's own rules have ended."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.attempted import COST
from tests.gateway.contracted import BOTH, GOOD, STREAM, answering, verdicts
from tests.gateway.rig import CHAT, HELLO, gateway, run
from tests.gateway.routed import SOON, at, routed
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    whole,
)

from tidegate.core.plan import Contract, Limit

AGAIN = Contract(json=True, on_violation="retry", buffer=True)


@BOTH
@pytest.mark.parametrize("contract", [None, AGAIN])
def test_a_filtered_answer_goes_to_its_fallback(tmp_path: Path, body: Any, contract: Any) -> None:
    async def main() -> None:
        filtered = answering(finish="content_filter")
        async with Upstream(filtered) as up, Upstream(GOOD) as good:
            routes = routed(at(up, "a"), refused_by_safety=(at(good, "b"),), contract=contract)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body=body)
                assert reply.headers["x-tidegate-target"] == "b"
                assert reply.whole and b"content_filter" not in reply.body
                receipt = await it.receipt()
                assert [one[:2] for one in verdicts(receipt)] == [
                    ("a", "refused_by_safety"),
                    ("b", None),
                ]
                assert receipt.attempts[0].cost_nanousd == COST
                assert receipt.model_refusal == "none"

    run(main())


@BOTH
def test_without_another_to_ask_a_filtered_answer_is_the_answer(tmp_path: Path, body: Any) -> None:
    async def main() -> None:
        filtered, down = answering(finish="content_filter"), whole(b"", 500)
        never = replace(SOON, budget_percent=0, budget_least=0)
        ways: list[dict[str, Any]] = [{}, {"unavailable": True}, {"retry": never, "chain": True}]
        async with Upstream(filtered) as up, Upstream(down) as other:
            for number, way in enumerate(ways):
                fields = {"retry": way.get("retry", SOON)}
                if way.get("chain"):
                    fields["refused_by_safety"] = (at(other, "b"),)
                if way.get("unavailable"):
                    fields["unavailable"] = (at(other, "b"),)
                routes = routed(at(up, "a"), **fields)
                async with gateway(tmp_path / str(number), at(up, "a"), routes=routes) as it:
                    reply = await it.ask(body=body)
                    assert reply.status == 200 and reply.whole
                    assert b'"finish_reason":"content_filter"' in reply.body
                    receipt = await it.receipt()
                    assert verdicts(receipt) == [("a", None, None)]
                    assert receipt.model_refusal == "full"
                    assert receipt.cost_nanousd == COST
            assert not other.exchanges

    run(main())


def test_without_money_for_another_a_filtered_answer_is_the_answer(tmp_path: Path) -> None:
    month = Limit("month", "spend", 130_000, ("team",), unit="month")

    async def main() -> None:
        async with Upstream(answering(finish="content_filter")) as up, Upstream(GOOD) as good:
            routes = routed(at(up, "a"), refused_by_safety=(at(good, "b"),))
            async with gateway(tmp_path, at(up, "a"), routes=routes, limits=(month,)) as it:
                reply = await it.ask(body={**HELLO, "max_tokens": 20})
                assert reply.status == 200 and not good.exchanges
                receipt = await it.receipt()
                assert verdicts(receipt) == [("a", None, None)]
                assert (receipt.input_tokens, receipt.cost_nanousd) == (11, COST)
                assert receipt.finish_reason == "content_filter"

    run(main())


def test_a_filter_that_speaks_up_late_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        late = answering("So, ", "first", finish="content_filter")
        async with Upstream(late) as up, Upstream(GOOD) as good:
            routes = routed(at(up, "a"), refused_by_safety=(at(good, "b"),))
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM)
                assert reply.whole and b"first" in reply.body and not good.exchanges
                again = await it.ask(body=HELLO)
                assert again.headers["x-tidegate-target"] == "b", "of a whole one nothing is out"

    run(main())


def test_of_several_answers_none_is_replaced(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(answering("a", finish="content_filter")) as up, Upstream(GOOD) as good:
            routes = routed(at(up, "a"), refused_by_safety=(at(good, "b"),))
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body={**HELLO, "n": 2})
                assert reply.headers["x-tidegate-target"] == "a" and not good.exchanges

    run(main())


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "served",
    "content": [],
    "stop_reason": "refusal",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 1},
}
MESSAGES = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"served","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"refusal",'
    b'"stop_sequence":null},"usage":{"output_tokens":1}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "r"}
UNSAFE = {
    "candidates": [{"index": 0, "finishReason": "SAFETY"}],
    "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
    "responseId": "r",
}
GUARDED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "I may not say that."}]}},
    "stopReason": "guardrail_intervened",
    "usage": {"inputTokens": 7, "outputTokens": 5, "totalTokens": 12},
}
AZURE = {
    "error": {
        "message": "The response was filtered",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation"},
    }
}
BY_POLICY = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "message": "Output blocked by content filtering policy",
    },
}
INCOMPLETE = {
    "id": "r1",
    "status": "incomplete",
    "incomplete_details": {"reason": "content_filter"},
    "output": [],
    "usage": {"input_tokens": 5, "output_tokens": 0, "total_tokens": 5},
}


def events(data: bytes) -> Script:
    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + chunk(data) + b"0\r\n\r\n")

    return script


def data(answer: Any) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(answer)


ENDED = b"event: response.incomplete\ndata: %b\n\n" % msgspec.json.encode(
    {"type": "response.incomplete", "response": INCOMPLETE}
)


@pytest.mark.parametrize(
    ("dialect", "path", "stream", "script"),
    [
        ("anthropic", CHAT, False, whole(MESSAGE)),
        ("anthropic", "/v1/messages", False, whole(MESSAGE)),
        ("anthropic", CHAT, True, events(MESSAGES)),
        ("anthropic", "/v1/messages", True, events(MESSAGES)),
        ("anthropic", CHAT, False, whole(BY_POLICY, 400)),
        ("gemini", CHAT, False, whole(BLOCKED)),
        ("gemini", "/v1/messages", True, events(data(BLOCKED))),
        ("gemini", CHAT, False, whole(UNSAFE)),
        ("gemini", "/v1/responses", True, events(data(UNSAFE))),
        ("bedrock", CHAT, False, whole(GUARDED)),
        ("bedrock", CHAT, False, whole({**GUARDED, "stopReason": "content_filtered"})),
        ("azure_openai", CHAT, True, whole(AZURE, 400)),
        ("azure_openai", "/v1/messages", False, whole(AZURE, 400)),
        ("openai", "/v1/responses", False, whole(INCOMPLETE)),
        ("openai", "/v1/responses", True, events(ENDED)),
        ("openai", "/v1/messages", True, answering(finish="content_filter")),
        ("openai_compatible", CHAT, True, answering(finish="PROHIBITED_CONTENT")),
        ("openai_compatible", "/v1/messages", False, answering(finish="SAFETY")),
    ],
)
def test_every_provider_s_no_leads_to_the_fallback(
    tmp_path: Path, dialect: str, path: str, stream: bool, script: Script
) -> None:
    body: dict[str, Any] = {"model": "small", "stream": stream, "max_tokens": 20}
    if path == "/v1/responses":
        body = {"model": "small", "stream": stream, "input": "hi"}
    else:
        body["messages"] = HELLO["messages"]

    async def main() -> None:
        async with Upstream(script) as up, Upstream(GOOD) as good:
            refusing = at(up, "a", dialect=dialect)
            routes = routed(refusing, refused_by_safety=(at(good, "b"),))
            environ = {"AWS_BEARER_TOKEN_BEDROCK": "secret", "AWS_REGION": "eu-west-1"}
            async with gateway(tmp_path, refusing, routes=routes, environ=environ) as it:
                reply = await it.ask(path, body)
                assert reply.status == 200, reply.body
                assert reply.headers["x-tidegate-target"] == "b"
                receipt = await it.receipt()
                assert [one[:2] for one in verdicts(receipt)] == [
                    ("a", "refused_by_safety"),
                    ("b", None),
                ]

    run(main())
