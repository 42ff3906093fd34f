"""A conversation with Gemini's tools, held by callers of other dialects: what its models signed
goes there and back to the byte, and a call that it gave no id is answered all the same."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.dialects.grammar import STAMP, ask_of, target

from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.plugs import Dialect
from tidegate.providers.gemini import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes/gemini"
MODEL = "gemini-3-pro-preview"
SIGNATURE = "CiQBVKhc7oGx+9Qk/2h3b0T1ZyQ7mJm8w0eR5uXnD4kP6sLq1AoKIQFUqFzuAA=="
QUESTION = {"role": "user", "content": "What is it like in Zürich?"}


def chat_goes_on(answer: Any) -> list[Any]:
    """OpenAI's chat: the message as it came, then a message for each result."""
    message = answer["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"{at}"}
        for at, call in enumerate(message["tool_calls"])
    ]
    return [QUESTION, message, *results]


def messages_go_on(answer: Any) -> list[Any]:
    """Anthropic's Messages: the content as it came, then all results in one message."""
    calls = [block for block in answer["content"] if block["type"] == "tool_use"]
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": f"{at}"}
        for at, call in enumerate(calls)
    ]
    turn = {"role": "assistant", "content": answer["content"]}
    return [QUESTION, turn, {"role": "user", "content": results}]


GOES_ON = {"openai_chat": chat_goes_on, "anthropic_messages": messages_go_on}


def next_contents(name: str, body: bytes) -> tuple[list[Any], tuple[str, ...]]:
    """What Gemini gets after it answered `body`, and what of that was left out."""
    dialect: Dialect = plugs.load("dialects", name)
    ask: Ask = ask_of({"messages": [QUESTION], "max_tokens": 9}, name)
    answer = dialect.whole(ask, STAMP, plug.read_spoken(ask, body))
    again = ask_of({"messages": GOES_ON[name](msgspec.json.decode(answer)), "max_tokens": 9}, name)
    outgoing = plug.encode_conversation(dialect.read(again), again, target(MODEL), False)
    return msgspec.json.decode(outgoing.body)["contents"], outgoing.dropped


@pytest.mark.parametrize("name", GOES_ON)
def test_signatures_come_back_to_the_byte(name: str) -> None:
    contents, dropped = next_contents(name, (BYTES / "tools.json").read_bytes())
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    first, second = contents[1]["parts"]
    arguments = {"city": "Zürich", "days": 2}
    assert first == {
        "functionCall": {"id": "fc_7h2k", "name": "weather", "args": arguments},
        "thoughtSignature": SIGNATURE,
    }
    assert second == {"functionCall": {"id": "fc_7h2l", "name": "time", "args": {}}}
    assert [part["functionResponse"] for part in contents[2]["parts"]] == [
        {"id": "fc_7h2k", "name": "weather", "response": {"output": "0"}},
        {"id": "fc_7h2l", "name": "time", "response": {"output": "1"}},
    ]
    # Thoughts that nobody signed are not needed again; OpenAI's chat does not even bring them.
    assert dropped == (() if name == "openai_chat" else ("messages[].thinking",))


@pytest.mark.parametrize("name", GOES_ON)
def test_calls_without_ids_get_ours(name: str) -> None:
    body = (BYTES / "tools.json").read_bytes()
    for call_id in (b"fc_7h2k", b"fc_7h2l"):
        body = body.replace(b'"id": "%b",' % call_id, b"")
    contents, _ = next_contents(name, body)
    called = [part["functionCall"] for part in contents[1]["parts"]]
    answered = [part["functionResponse"] for part in contents[2]["parts"]]
    assert [one["id"] for one in called] == [one["id"] for one in answered]
    assert len({one["id"] for one in called}) == 2
    assert [one["name"] for one in answered] == ["weather", "time"]
    assert contents[1]["parts"][0]["thoughtSignature"] == SIGNATURE


@pytest.mark.parametrize("name", GOES_ON)
def test_the_signature_of_a_text_comes_back(name: str) -> None:
    signature = "CmkBcsjafNf/3kqO0aZ+Vt1pL5sXyQ2bWc8eRg=="
    body = msgspec.json.decode((BYTES / "tools.json").read_bytes())
    parts = body["candidates"][0]["content"]["parts"]
    parts[0] = {"text": "Four apples.", "thoughtSignature": signature}
    contents, dropped = next_contents(name, msgspec.json.encode(body))
    assert {"text": "", "thoughtSignature": signature} in contents[1]["parts"]
    assert {"text": "Four apples."} in contents[1]["parts"]
    assert dropped == ()
