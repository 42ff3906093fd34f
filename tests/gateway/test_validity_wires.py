"""What is noted of an answer, whichever wires its caller and its provider speak."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.contract.wires import TOOLS, WAYS, call, text, told, whole_body, written
from tests.gateway.contracted import contracted
from tests.gateway.rig import CHAT, HELLO, run
from tests.gateway.upstream import STREAM_HEAD, Exchange, Script, answer_bytes, chunk

from tidegate.core.plan import Contract
from tidegate.core.receipt import Receipt
from tidegate.core.spoken import Event

PATHS = {
    "openai_chat": CHAT,
    "anthropic_messages": "/v1/messages",
    "openai_responses": "/v1/responses",
}
NO = "I'm sorry, but I can't help with that."
EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}-{way[2]}")
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def body_of(dialect: str, stream: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"model": "small", "stream": stream, "tools": [TOOLS[dialect]]}
    if dialect == "openai_responses":
        return {**body, "input": "hi"}
    return {**body, "messages": HELLO["messages"], "max_tokens": 50}


def speaking(wire: str, events: list[Event]) -> Script:
    async def script(exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            exchange.send(STREAM_HEAD + chunk(written(wire, events)) + b"0\r\n\r\n")
        else:
            exchange.send(answer_bytes(200, whole_body(wire, events)))

    return script


def noted(
    folder: Path, way: Any, events: list[Event], stream: bool, contract: Contract | None = None
) -> tuple[Any, Receipt]:
    found: list[Any] = []

    async def main() -> None:
        caller, wire, plug = way
        script = speaking(wire, events)
        async with contracted(folder, script, contract, dialect=plug) as (it, _):
            found.append(await it.ask(PATHS[caller], body_of(caller, stream)))
            found.append(await it.receipt())

    run(main())
    return found[0], found[1]


@EVERY_WAY
@BOTH
@pytest.mark.parametrize(
    ("parts", "reason", "found"),
    [
        ([text("Here", " you are.")], "stop", ("none", None)),
        ([text("I'm sorry, but I", " can't help with that.")], "stop", ("full", "policy")),
        ([("reasoning", None, [NO]), text("Yes.")], "stop", ("none", None)),
        ([text("So")], "refusal", ("full", "policy")),
        ([], "refusal", ("full", "policy")),
        ([], "stop", ("full", None)),
        ([call("add", '{"n":1}')], "tool_calls", ("none", None)),
    ],
)
def test_whether_the_model_refused(
    tmp_path: Path, way: Any, stream: bool, parts: Any, reason: Any, found: Any
) -> None:
    reply, receipt = noted(tmp_path, way, told(parts, reason), stream)
    assert reply.status == 200
    assert (receipt.model_refusal, receipt.model_refusal_reason) == found
    expected = "empty" if not parts and reason == "stop" else None
    assert receipt.validity == expected


@BOTH
@pytest.mark.parametrize("way", [way for way in WAYS if way[1] != "anthropic_messages"], ids=str)
def test_a_refusal_of_its_own_kind_is_one(tmp_path: Path, way: Any, stream: bool) -> None:
    """Anthropic's wire has none."""
    contract = Contract(json=True, on_violation="fail", buffer=True)
    events = told([("refusal", None, ["No", "."])], "stop")
    reply, receipt = noted(tmp_path, way, events, stream, contract)
    assert reply.status == 200, "there is no content to hold against anything"
    assert (receipt.model_refusal, receipt.model_refusal_reason) == ("full", "policy")
    assert receipt.validity is None


@EVERY_WAY
@BOTH
def test_a_bad_answer_is_an_error_in_its_place_in_every_dialect(
    tmp_path: Path, way: Any, stream: bool
) -> None:
    contract = Contract(tools=True, on_violation="fail", buffer=True)
    events = told([call("add", '{"n":', '"1"}')], "tool_calls")
    reply, receipt = noted(tmp_path, way, events, stream, contract)
    assert reply.status == 502
    assert "error" in msgspec.json.decode(reply.body)
    assert receipt.violation_path == "/tool_calls/0/arguments/n"
    assert receipt.attempts[0].violation_path == "/tool_calls/0/arguments/n"
    assert (receipt.validity, receipt.bytes_before_violation) == ("schema_violation", 0)


@EVERY_WAY
@BOTH
def test_a_second_request_is_in_the_caller_s_dialect(
    tmp_path: Path, way: Any, stream: bool
) -> None:
    caller, wire, plug = way
    good, bad = told([text("{}")], "stop"), told([text("Sure")], "stop")
    contract = Contract(json=True, on_violation="retry", buffer=True)
    left = [speaking(wire, bad), speaking(wire, good)]

    async def script(exchange: Exchange) -> None:
        await left.pop(0)(exchange)

    async def main() -> None:
        async with contracted(tmp_path, script, contract, dialect=plug) as (it, up):
            reply = await it.ask(PATHS[caller], body_of(caller, stream))
            assert reply.status == 200 and b"Sure" not in reply.body
            member = "input" if wire == "openai_responses" else "messages"
            _, said, wrong = up.exchanges[1].json[member]
            assert (said["role"], wrong["role"]) == ("assistant", "user")
            assert "Sure" in str(said) and "not valid JSON" in str(wrong)
            receipt = await it.receipt()
            assert [one.validity for one in receipt.attempts] == ["malformed", "valid"]

    run(main())
