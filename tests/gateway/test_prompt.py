"""What of a request a tokenizer can count; nothing of it goes uncounted, wherever it stands."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.limited import budget, limit, limited
from tests.gateway.rig import HELLO, gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.ask import Ask
from tidegate.core.price import Price, Rate
from tidegate.gateway import size
from tidegate.gateway.prompt import TOKENS_A_MESSAGE, read_prompt
from tidegate.gateway.size import count_input, estimate_input_tokens

LONG = "Once upon a midnight dreary, while I pondered. " * 2000  # about 20,000 tokens
SCHEMA = {"type": "object", "properties": {"a": {"description": LONG, "type": "string"}}}
USER: dict[str, Any] = {"role": "user", "content": "hi"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "SUQz" * 250_000, "format": "mp3"}}
# A member of the body, or of its last message, in which a caller can write much.
OF_BODY: dict[str, Any] = {
    "functions": [{"name": "f", "description": LONG, "parameters": SCHEMA}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
    "prediction": {"type": "content", "content": LONG},
    "documents": [{"text": LONG}],
    "chat_template_kwargs": {"system": LONG},
    "never_heard_of": LONG,
}
OF_MESSAGE: dict[str, Any] = {
    "content": LONG,
    "name": LONG,
    "role": LONG,
    "refusal": LONG,
    "reasoning_content": LONG,
    "function_call": {"name": "f", "arguments": LONG},
    "tool_calls": [{"id": "1", "type": "function", "function": {"arguments": LONG}}],
    "audio": {"id": LONG},
    "never_heard_of": [LONG],
}
PARTS: dict[str, Any] = {
    "text": {"type": "text", "text": LONG},
    "refusal": {"type": "refusal", "refusal": LONG},
    "type": {"type": LONG},
    "never_heard_of": {"type": "x", "x": {"y": LONG}},
    "bare": LONG,
    "a tool's answer": {"type": "tool_result", "content": [{"type": "text", "text": LONG}]},
    "parts of parts": {"content": [{"content": [{"text": LONG}]}]},
    "audio": AUDIO,
    "image beside a file": {"image_url": "https://x", "file": {"file_data": LONG}},
}
GRID = [
    *(pytest.param({**HELLO, name: it}, id=name) for name, it in OF_BODY.items()),
    *(
        pytest.param({**HELLO, "messages": [USER, {**USER, name: it}]}, id=f"message-{name}")
        for name, it in OF_MESSAGE.items()
    ),
    *(
        pytest.param({**HELLO, "messages": [{**USER, "content": [it]}]}, id=f"part-{name}")
        for name, it in PARTS.items()
    ),
]


def asked(endpoint: Any = "chat", **members: Any) -> Ask:
    return of_bytes(msgspec.json.encode({"model": "m", **members}), endpoint)


def of_bytes(body: bytes, endpoint: Any = "chat") -> Ask:
    return Ask(endpoint, body, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), "m")


@pytest.mark.parametrize("body", GRID)
def test_nothing_long_gets_past_a_cap_a_context_or_a_hold(
    tmp_path: Path, body: dict[str, Any]
) -> None:
    """A nano-dollar a token: what is long costs more than the budget has."""
    body = {**body, "max_tokens": 16}
    price = Price("plan:x", "plan", input=Rate(1_000_000), output=Rate(1_000_000))
    fields: dict[str, Any] = {"price": price, "tokenizer": "o200k", "image_tokens": 100}

    async def main() -> None:
        async with Upstream(whole()) as up:
            cap = limit("max_input_tokens", 8000)
            async with limited(tmp_path / "cap", up, cap, **fields) as it:
                assert (await it.ask(body=body)).code == "input_too_long"
            async with limited(tmp_path / "money", up, budget(8000), **fields) as it:
                assert (await it.ask(body=body)).code == "insufficient_quota"
            async with gateway(
                tmp_path / "fit", target(up.port, context_tokens=4000, **fields)
            ) as it:
                assert (await it.ask(body=body)).code == "context_length_exceeded"
            assert up.exchanges == []

    run(main())


@pytest.mark.parametrize("body", GRID)
def test_the_bound_is_at_least_the_text_s_tokens(body: dict[str, Any]) -> None:
    """Whatever part of it a provider shows to its model."""
    counted, other_bytes = count_input(asked(**body), "o200k")
    assert counted + other_bytes > 18_000
    assert estimate_input_tokens(asked(**body), "o200k") > 18_000


@pytest.mark.parametrize("name", ["prompt", "suffix"])
def test_a_completion_s_texts_are_counted(name: str) -> None:
    members = {"prompt": "hi", name: LONG}
    counted, other_bytes = count_input(asked("completions", **members), "o200k")
    assert counted > 18_000
    assert other_bytes == 0


def test_a_usual_request_is_counted_to_the_token() -> None:
    messages = [
        {"role": "system", "content": "hello world"},
        {"role": "user", "content": [{"type": "text", "text": "hello world"}, {"image_url": "x"}]},
        {"role": "assistant", "content": None, "tool_calls": None},
        {},
    ]
    it = asked(messages=messages, stream=True, temperature=0.5, stop=[LONG], metadata={"a": LONG})
    assert count_input(it, "o200k") == (4 + 2 + 1 + 4 * TOKENS_A_MESSAGE, 0)  # a line feed each


@pytest.mark.parametrize(("prompt", "tokens"), [([1, 2, 3], 3), ([[1, 2], [3]], 3)])
def test_token_ids_are_counted_as_such(prompt: Any, tokens: int) -> None:
    assert count_input(asked("completions", prompt=prompt), "o200k") == (tokens, 0)


def test_a_member_that_is_written_twice_is_counted_twice() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"%b","content":"hi"}]}'
    assert count_input(of_bytes(body % LONG.encode()), "o200k")[1] > len(LONG)


def test_text_beyond_what_is_counted_is_bounded_by_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(size, "MAX_COUNTED_BYTES", 1000)
    counted, other_bytes = count_input(asked("completions", prompt=LONG), "o200k")
    assert other_bytes == len(LONG) - 1000
    assert 200 < counted < 300
    estimate = estimate_input_tokens(asked("completions", prompt=LONG), "o200k")
    assert counted < estimate == counted + (len(LONG) - 1000 + 3) // 4


@pytest.mark.parametrize("messages", [[7], [[1]], [{"content": [7]}], [{"content": 7}], [None]])
def test_a_shape_of_its_own_leaves_its_bytes(messages: Any) -> None:
    prompt = read_prompt(asked(messages=messages))
    assert prompt.other_bytes > 0
    assert prompt.pieces == []
