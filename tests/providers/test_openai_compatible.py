"""Paths, embeddings, credentials: what the contract of all plugs leaves to this one."""

from pathlib import Path

import msgspec
import pytest
from tests.dialects.grammar import ask_of, target
from tests.providers.streams import asked

from tidegate.core.ask import Usage
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.outcome import Failure
from tidegate.core.plan import Replica, Target
from tidegate.providers.openai_compatible import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes/openai"
TARGET = Target("t", "p", "d", "m", (Replica("r", "http", "h", 80, "/v1"),))


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("chat", b"/chat/completions"),
        ("completions", b"/completions"),
        ("embeddings", b"/embeddings"),
    ],
)
def test_each_endpoint_has_its_path(endpoint: str, path: bytes) -> None:
    assert plug.encode(asked(endpoint=endpoint), TARGET).path == path


def test_embeddings_have_no_output() -> None:
    ask = asked(endpoint="embeddings")
    answer = plug.read_answer(ask, (BYTES / "embeddings.json").read_bytes())
    assert (answer.usage, answer.text) == (Usage(2), b"")
    with pytest.raises(Failure, match="empty"):
        plug.read_answer(ask, b'{"usage":{"prompt_tokens":1}}')


def test_a_text_completion_is_read() -> None:
    ask = asked(endpoint="completions")
    answer = plug.read_answer(ask, (BYTES / "completion.json").read_bytes())
    assert (answer.finish_reason, answer.usage) == ("length", Usage(2, None, None, 2))


def test_usage_of_a_strange_shape_does_not_spoil_an_answer() -> None:
    body = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":"none"}'
    answer = plug.read_answer(asked(), body)
    assert answer.usage == Usage(conflict=True)
    assert answer.text == b"x"


@pytest.mark.parametrize("content", [b"\xff", b"\\ud800", b"\x00"])
def test_an_answer_whose_text_is_none_is_malformed(content: bytes) -> None:
    with pytest.raises(Failure) as failure:
        plug.read_answer(asked(), b'{"choices":[{"message":{"content":"%b"}}]}' % content)
    assert failure.value.kind == "malformed"


def test_a_stream_for_another_wire_s_caller_is_asked_for_its_usage() -> None:
    """Whatever that wire's members of these names say."""
    body = {"input": "x", "stream_options": {"include_obfuscation": False}}
    ask = ask_of(body, "openai_responses", stream=True, include_usage=True)
    said = Conversation([Turn("user", (Text("x"),))], stream=True)
    sent = msgspec.json.decode(plug.encode_conversation(said, ask, target(), False).body)
    assert sent["stream_options"] == {"include_usage": True}


def test_the_credential_is_a_bearer() -> None:
    assert plug.credential_header("s") == ("authorization", "Bearer s")


def test_a_call_of_a_custom_tool_is_told_without_arguments() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    choice = {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    [said] = plug.read_answer(
        ask_of({"messages": []}), msgspec.json.encode({"choices": [choice]})
    ).said
    assert (said.calls, said.acts) == ((), True)


@pytest.mark.parametrize(
    ("member", "known"),
    [(b'"fp_1"', "fp_1"), (b"null", None), (b'""', None), (b'{"deep":[1]}', None)],
)
@pytest.mark.parametrize("usage", [b"null", b'{"prompt_tokens":1,"completion_tokens":1}'])
def test_the_build_is_known_where_it_is_told(
    member: bytes, known: str | None, usage: bytes
) -> None:
    body = b'{"choices":[{"message":{"content":"x"}}],"usage":%b,"system_fingerprint":%b}'
    assert plug.read_answer(asked(), body % (usage, member)).model_fingerprint == known
