"""What of a request of Responses a tokenizer can count: bounded as one of chat is."""

from pathlib import Path
from typing import Any

import pytest
from tests.dialects.grammar import ask_of
from tests.gateway.limited import budget, limit, limited
from tests.gateway.rig import gateway, run, target
from tests.gateway.test_prompt import LONG, SCHEMA
from tests.gateway.upstream import Upstream, whole
from tests.providers.responses_wire import response

from tidegate.core.ask import Ask
from tidegate.core.price import Price, Rate
from tidegate.gateway.media import media
from tidegate.gateway.prompt import TOKENS_A_MESSAGE
from tidegate.gateway.size import count_input, estimate_input_tokens

RESPONSES = "/v1/responses"
IMAGE: dict[str, Any] = {"type": "input_image", "image_url": "data:;base64," + "A" * 90_000}
FILE: dict[str, Any] = {"type": "input_file", "file_data": "A" * 90_000, "filename": "a.pdf"}
FORMAT = {"type": "json_schema", "name": "s", "schema": SCHEMA}
MEMBERS: dict[str, Any] = {
    "input": LONG,
    "instructions": LONG,
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
    "text": {"format": FORMAT},
    "never_heard_of": LONG,
    "messages": LONG,
}
SUMMARY = {"type": "summary_text", "text": LONG}
ITEMS: dict[str, Any] = {
    "text": {"role": "user", "content": LONG},
    "part": {"role": "user", "content": [{"type": "input_text", "text": LONG}]},
    "role": {"role": LONG, "content": "x"},
    "arguments": {"type": "function_call", "call_id": "1", "name": "f", "arguments": LONG},
    "output": {"type": "function_call_output", "call_id": "1", "output": LONG},
    "output part": {
        "type": "function_call_output",
        "call_id": "1",
        "output": [{"type": "input_text", "text": LONG}],
    },
    "summary": {"type": "reasoning", "id": "rs_1", "summary": [SUMMARY]},
    "sealed": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": LONG},
    "another's": {"type": "mcp_list_tools", "tools": [{"description": LONG}]},
}
GRID = [
    *(pytest.param({name: it}, id=name) for name, it in MEMBERS.items()),
    *(pytest.param({"input": [it]}, id=f"item-{name}") for name, it in ITEMS.items()),
]


def asked(**members: Any) -> Ask:
    return ask_of({"model": "m", "input": "hi", **members}, "openai_responses")


@pytest.mark.parametrize("members", GRID)
def test_nothing_long_gets_past_a_cap_a_context_or_a_hold(
    tmp_path: Path, members: dict[str, Any]
) -> None:
    """A nano-dollar a token: what is long costs more than the budget has."""
    body = {"model": "small", "input": "hi", "max_output_tokens": 16, **members}
    price = Price("plan:x", "plan", input=Rate(1_000_000), output=Rate(1_000_000))
    fields: dict[str, Any] = {"price": price, "tokenizer": "o200k", "dialect": "openai"}

    async def main() -> None:
        async with Upstream(whole()) as up:
            cap = limit("max_input_tokens", 8000)
            async with limited(tmp_path / "cap", up, cap, **fields) as it:
                assert (await it.ask(RESPONSES, body)).code == "input_too_long"
            async with limited(tmp_path / "money", up, budget(8000), **fields) as it:
                assert (await it.ask(RESPONSES, body)).code == "insufficient_quota"
            async with gateway(
                tmp_path / "fit", target(up.port, context_tokens=4000, **fields)
            ) as it:
                reply = await it.ask(RESPONSES, body)
                assert reply.code == "context_length_exceeded"
                assert reply.json["error"]["param"] == "input"
            assert up.exchanges == []

    run(main())


@pytest.mark.parametrize("members", GRID)
def test_the_bound_is_at_least_the_text_s_tokens(members: dict[str, Any]) -> None:
    counted, other_bytes = count_input(asked(**members), "o200k")
    assert counted + other_bytes > 18_000
    assert estimate_input_tokens(asked(**members), "o200k") > 18_000


def test_a_usual_request_is_counted_to_the_token() -> None:
    never = {"metadata": {"a": LONG}, "include": ["x"], "reasoning": {"effort": "low"}}
    it = asked(input="hello world", stream=True, store=False, max_output_tokens=9, **never)
    assert count_input(it, "o200k") == (TOKENS_A_MESSAGE + 2, 0)
    told = [
        {"role": "user", "content": "hello world"},
        {"role": "user", "content": [{"type": "input_text", "text": "hello world"}]},
    ]
    it = asked(input=told, instructions="hello world")
    assert count_input(it, "o200k") == (2 * TOKENS_A_MESSAGE + 3 * 2 + 2, 0)  # two line feeds


@pytest.mark.parametrize(
    ("input", "images", "files"),
    [
        ("hello", 0, 0),
        ([{"role": "user", "content": "a [link]"}], 0, 0),
        ([{"role": "user", "content": [IMAGE, FILE]}], 1, 1),
        ([{"type": "function_call_output", "call_id": "1", "output": [IMAGE]}], 1, 0),
        ([{"type": "function_call_output", "call_id": "1", "output": "x"}, [1]], 0, 1),
    ],
)
def test_images_and_files_are_found(input: Any, images: int, files: int) -> None:
    found = media(asked(input=input))
    assert (found.images, found.files) == (images, files)


def test_an_image_is_held_as_the_most_that_it_can_be(tmp_path: Path) -> None:
    content = [{"type": "input_text", "text": "what is this?"}, IMAGE]
    output = {"type": "function_call_output", "call_id": "1", "output": content}
    price = Price("plan:x", "plan", input=Rate(1_000_000), output=Rate(1_000_000))
    to: dict[str, Any] = {"price": price, "image_tokens": 2000, "dialect": "openai"}

    async def main() -> None:
        for at, item in enumerate(({"role": "user", "content": content}, output)):
            for room, status in ((2000, 429), (2500, 200)):
                async with (
                    Upstream(whole(response())) as up,
                    limited(tmp_path / f"{at}-{room}", up, budget(room), **to) as it,
                ):
                    body = {"model": "small", "input": [item], "max_output_tokens": 16}
                    assert (await it.ask(RESPONSES, body)).status == status

    run(main())
