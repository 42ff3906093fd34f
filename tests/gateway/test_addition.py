"""What a route adds to its chats, in each of the callers' wires."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from tests.gateway.canaried import receipt
from tests.gateway.rig import gateway, run
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask
from tidegate.core.plan import Route
from tidegate.core.receipt import OPENAI_CHAT
from tidegate.gateway.addition import addition_of

HI = {"role": "user", "content": "hi"}
PROMPT = "Be brief."
FULL = (
    ("max_tokens", "100"),
    ("min_p", "0.1"),
    ("reasoning_effort", '"low"'),
    ("stop", '"END"'),
    ("temperature", "0.2"),
)


def sent(
    body: dict[str, Any],
    dialect: str = OPENAI_CHAT,
    prompt: str | None = None,
    *parameters: tuple[str, str],
) -> dict[str, Any]:
    """The body after a route has added this to it."""
    asked = ask_of(body, dialect)
    found = addition_of(route(prompt, *parameters))
    assert found is not None
    found.to(asked, receipt())
    assert msgspec.json.encode(asked.members) == asked.body
    told: dict[str, Any] = msgspec.json.decode(asked.body)
    return told


def ask_of(body: dict[str, Any], dialect: str = OPENAI_CHAT) -> Ask:
    members = {name: Raw(msgspec.json.encode(value)) for name, value in body.items()}
    return Ask("chat", msgspec.json.encode(body), members, "small", dialect=dialect)


def route(prompt: str | None = None, *parameters: tuple[str, str]) -> Route:
    [found] = routed(at(Up, "a"), system_prompt=prompt, parameters=parameters).values()  # type: ignore[arg-type]
    return found


class Up:
    port = 1


def test_a_route_that_adds_nothing_has_nothing_to_add() -> None:
    assert addition_of(route()) is None


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([HI], [{"role": "system", "content": PROMPT}, HI]),
        ([], [{"role": "system", "content": PROMPT}]),
        (
            [{"role": "system", "content": "Be kind.", "name": "n"}, HI],
            [{"role": "system", "content": f"{PROMPT}\n\nBe kind.", "name": "n"}, HI],
        ),
        (
            [{"role": "developer", "content": [{"type": "text", "text": "Be kind."}]}, HI],
            [
                {
                    "role": "developer",
                    "content": [
                        {"type": "text", "text": PROMPT},
                        {"type": "text", "text": "Be kind."},
                    ],
                },
                HI,
            ],
        ),
        (["no turn"], ["no turn"]),
    ],
)
def test_a_chat_has_one_system_prompt_the_routes_before_the_callers(
    messages: list[Any], expected: list[Any]
) -> None:
    assert sent({"messages": messages}, OPENAI_CHAT, PROMPT)["messages"] == expected


@pytest.mark.parametrize(
    ("dialect", "name"), [(ANTHROPIC_MESSAGES, "system"), (OPENAI_RESPONSES, "instructions")]
)
@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, PROMPT),
        ({"own": None}, PROMPT),
        ({"own": "Be kind."}, f"{PROMPT}\n\nBe kind."),
        ({"own": []}, [{"type": "text", "text": PROMPT}]),
        ({"own": [{"type": "text", "text": "x"}]}, [{"type": "text", "text": PROMPT},
                                                    {"type": "text", "text": "x"}]),
        ({"own": 7}, 7),
    ],
)  # fmt: skip
def test_other_wires_have_a_member_for_it(
    dialect: str, name: str, own: dict[str, Any], expected: object
) -> None:
    body = {"messages": [HI], **dict.fromkeys([name] * len(own), own.get("own"))}
    told = sent(body, dialect, PROMPT)
    assert told[name] == expected and told["messages"] == [HI]


def test_parameters_are_called_as_each_wire_calls_them() -> None:
    body = {"messages": [HI]}
    added = {
        dialect: {k: v for k, v in sent(body, dialect, None, *FULL).items() if k not in body}
        for dialect in (OPENAI_CHAT, ANTHROPIC_MESSAGES, OPENAI_RESPONSES)
    }
    assert added == {
        OPENAI_CHAT: {
            "max_tokens": 100,
            "min_p": 0.1,
            "reasoning_effort": "low",
            "stop": "END",
            "temperature": 0.2,
        },
        ANTHROPIC_MESSAGES: {"stop_sequences": ["END"], "temperature": 0.2},
        OPENAI_RESPONSES: {
            "max_output_tokens": 100,
            "reasoning": {"effort": "low"},
            "temperature": 0.2,
        },
    }


def test_what_its_caller_has_said_stands() -> None:
    body = {"messages": [HI], "temperature": 1, "max_completion_tokens": 5, "stop": None}
    assert sent(body, OPENAI_CHAT, None, *FULL) | {"min_p": 0, "reasoning_effort": 0} == {
        **body,
        "stop": "END",
        "min_p": 0,
        "reasoning_effort": 0,
    }


def test_the_routes_bound_on_output_is_the_requests() -> None:
    found = addition_of(route(None, *FULL))
    assert found is not None
    open_, bound = ask_of({"messages": [HI]}), ask_of({"messages": [HI], "max_tokens": 5})
    bound.output_ceiling_tokens = 5
    for asked, tokens in ((open_, 100), (bound, 5)):
        found.to(asked, receipt())
        assert asked.output_ceiling_tokens == tokens
        assert asked.ceiling_of_route is (asked is not bound)


def test_a_model_that_is_asked_to_think_is_told_no_other_way_of_sampling() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    body = {"messages": [HI], "thinking": thinking}
    assert "temperature" not in sent(body, ANTHROPIC_MESSAGES, None, *FULL)
    body = {"messages": [HI], "thinking": {"type": "disabled"}}
    assert sent(body, ANTHROPIC_MESSAGES, None, *FULL)["temperature"] == 0.2


def test_a_temperature_that_anthropic_does_not_know_is_left_out() -> None:
    hot = ("temperature", "1.5")
    assert "temperature" not in sent({"messages": [HI]}, ANTHROPIC_MESSAGES, None, hot)
    assert sent({"messages": [HI]}, OPENAI_CHAT, None, hot)["temperature"] == 1.5


def test_what_is_no_chat_is_left_as_it_is() -> None:
    found = addition_of(route(PROMPT, *FULL))
    assert found is not None
    ask = Ask("embeddings", b'{"input":"x"}', {"input": Raw(b'"x"')}, "small")
    found.to(ask, receipt())
    assert ask.body == b'{"input":"x"}'


def test_a_conversation_is_known_by_what_its_caller_sent() -> None:
    noted = [receipt(), receipt()]
    for prompt, one in zip((PROMPT, "Be long."), noted, strict=True):
        found = addition_of(route(prompt))
        assert found is not None
        found.to(ask_of({"messages": [HI]}), one)
    assert noted[0].session == noted[1].session is not None


@given(
    content=st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    ),
    role=st.sampled_from(["system", "developer", "user", 7, None]),
)
def test_no_first_turn_breaks_it_or_loses_anything(content: object, role: object) -> None:
    turn = {"role": role, "content": content}
    told = sent({"messages": [turn, HI]}, OPENAI_CHAT, PROMPT)["messages"]
    assert told[-1] == HI
    if role not in ("system", "developer"):
        assert told == [{"role": "system", "content": PROMPT}, turn, HI]


def test_it_is_sent_and_counted(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            fields = {"system_prompt": PROMPT, "parameters": (("temperature", "0.2"),)}
            routes = routed(at(up, "a"), **fields)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                assert (await it.ask()).status == 200
                body = msgspec.json.decode(up.exchanges[-1].body)
                assert body["messages"][0] == {"role": "system", "content": PROMPT}
                assert body["temperature"] == 0.2
                [noted] = it.receipts()
                assert noted.input_bytes is not None and noted.input_bytes > 100

    run(main())


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (
            "/v1/messages",
            {"max_tokens": 9, "messages": [HI], "system": "Be kind.", "stop_sequences": ["X"]},
        ),
        ("/v1/responses", {"input": "hi", "instructions": "Be kind.", "top_p": 0.5}),
    ],
)
def test_callers_of_other_wires_get_it_at_a_target_that_speaks_another(
    tmp_path: Path, path: str, own: dict[str, Any]
) -> None:
    async def main() -> None:
        async with Upstream() as up:
            fields = {
                "system_prompt": PROMPT,
                "parameters": (("temperature", "0.2"), ("stop", '"END"'), ("top_p", "0.9")),
            }
            routes = routed(at(up, "a"), **fields)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(path, {"model": "small", **own})
                assert reply.status == 200, reply.raw
                body = msgspec.json.decode(up.exchanges[-1].body)
                first = body["messages"][0]
                assert first["role"] == "system" and "Be kind." in str(first["content"])
                assert str(first["content"]).index(PROMPT) < str(first["content"]).index("Be kind.")
                assert body["temperature"] == 0.2
                assert body["top_p"] == own.get("top_p", 0.9)
                assert body.get("stop") == own.get("stop_sequences")

    run(main())
