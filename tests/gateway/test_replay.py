"""A kept answer, in any form and wire, says what it said, cut anywhere it says nothing."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.upstream import DONE, completion, delta, usage_chunk

from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.conversation import Text, ToolCall
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.plugs import Dialect, Provider
from tidegate.core.spoken import Choice, Spoken, fold
from tidegate.gateway.replay import replayed, spoken_of

PROVIDER: Provider = plugs.load("providers", "openai_compatible")
DIALECT: Dialect = plugs.load("dialects", "openai_chat")
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def ask(*, stream: bool, choices: int = 1) -> Ask:
    return Ask("chat", b"{}", {}, "small", stream, choices=choices)


def stream_of(*fields: dict[str, object], finish: str = "stop") -> bytes:
    chunks = [delta(it) for it in fields] + [delta({}, finish), usage_chunk(USAGE)]
    return b"".join(b"data: " + chunk + b"\n\n" for chunk in chunks) + DONE


def kept(body: bytes, *, streamed: bool) -> KeptAnswer:
    return KeptAnswer("r", 1.0, 60.0, "t", streamed, body)


def told(body: bytes | None, *, streamed: bool, choices: int = 1) -> list[Choice]:
    assert body is not None
    found = spoken_of(ask(stream=streamed, choices=choices), body, PROVIDER, streamed=streamed)
    assert found is not None
    return found.choices


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5))
def test_a_stream_and_its_whole_say_the_same(pieces: list[str]) -> None:
    body = stream_of(*({"content": piece} for piece in pieces))
    whole = replayed(ask(stream=False), kept(body, streamed=True), PROVIDER, DIALECT)
    assert told(whole, streamed=False) == [Choice([Text("".join(pieces))], "stop")]
    assert whole is not None
    assert msgspec.json.decode(whole)["usage"]["completion_tokens"] == 2
    again = replayed(ask(stream=True), kept(whole, streamed=False), PROVIDER, DIALECT)
    assert told(again, streamed=True) == told(body, streamed=True)


def test_calls_of_tools_and_several_choices_come_over_too() -> None:
    body = stream_of({"tool_calls": [CALL]}, finish="tool_calls")
    whole = replayed(ask(stream=False), kept(body, streamed=True), PROVIDER, DIALECT)
    assert told(whole, streamed=False) == [Choice([ToolCall("c", "f", "{}")], "tool_calls")]
    two = completion()
    two["choices"].append({**two["choices"][0], "index": 1})
    several = msgspec.json.encode(two)
    wanted = ask(stream=True, choices=2)
    events = replayed(wanted, kept(several, streamed=False), PROVIDER, DIALECT)
    assert len(told(events, streamed=True, choices=2)) == 2


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("wanted", [True, False])
def test_half_an_answer_is_none(streamed: bool, wanted: bool) -> None:
    whole = stream_of({"content": "hi"}) if streamed else msgspec.json.encode(completion())
    half = kept(whole[: len(whole) // 2], streamed=streamed)
    if streamed == wanted and not streamed:
        return  # bytes pass as they are; where they come from they are checked
    assert replayed(ask(stream=wanted), half, PROVIDER, DIALECT) is None


def test_nothing_is_no_answer() -> None:
    assert spoken_of(ask(stream=True), b"", PROVIDER, streamed=True) is None
    assert spoken_of(ask(stream=False), b"[]", PROVIDER, streamed=False) is None
    assert fold([]) == Spoken()
