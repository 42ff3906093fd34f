"""Anthropic as a provider: its own callers' bytes, and everybody else's words."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.dialects.grammar import ask_of, target

from tidegate.core.ask import Usage
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.outcome import Failure, Refusal
from tidegate.providers.anthropic import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes" / "anthropic"
DIALECT = "anthropic_messages"
ASK = ask_of({"messages": []}, DIALECT)


def test_what_it_is() -> None:
    assert (plug.base_url, plug.hosted) == ("https://api.anthropic.com/v1", True)
    assert (plug.endpoints, plug.passthrough) == ({"chat"}, {DIALECT: plug})
    assert plug.headers == (("anthropic-version", "2023-06-01"),)
    assert plug.credential_header("secret") == ("x-api-key", "secret")


def test_its_own_callers_body_is_sent_as_it_came() -> None:
    body = b'{ "model":"asked-model", "messages":[], "max_tokens":1.0e+2,"x":{"y":[1e3]} }'
    sent = plug.encode(ask_of(body, DIALECT), target("asked-model"))
    assert (sent.path, sent.body) == (b"/messages", body)


def test_only_what_must_change_changes() -> None:
    body = b'{"temperature":1.50,"model":"m","max_tokens":900,"messages":[{"x": 1e+3}],"zzz":1e400}'
    sent = plug.encode(ask_of(body, DIALECT, output_bound_tokens=20), target()).body
    before = msgspec.json.decode(body, type=dict[str, Raw])
    after = msgspec.json.decode(sent, type=dict[str, Raw])
    assert {k for k in before if bytes(before[k]) != bytes(after[k])} == {"model", "max_tokens"}
    assert bytes(after["model"]) == b'"their-model"' and bytes(after["max_tokens"]) == b"20"


@pytest.mark.parametrize(
    ("thinking", "bound_tokens", "sent"),
    [
        ({"type": "enabled", "budget_tokens": 4000, "x": 1.5}, 2000, 1999),
        ({"type": "enabled", "budget_tokens": 4000}, 4001, 4000),
        ({"type": "enabled", "budget_tokens": 4000}, 1025, 1024),
        ({"type": "adaptive"}, 100, None),
        ({"type": "enabled", "budget_tokens": "many"}, 100, "many"),
    ],
)
def test_a_bound_of_ours_leaves_room_to_think(
    thinking: dict[str, Any], bound_tokens: int, sent: Any
) -> None:
    body = {"messages": [], "max_tokens": 9000, "thinking": thinking}
    ask = ask_of(body, DIALECT, output_bound_tokens=bound_tokens)
    told = msgspec.json.decode(plug.encode(ask, target()).body)
    assert told["max_tokens"] == bound_tokens
    assert told["thinking"].pop("budget_tokens", None) == sent
    assert thinking.items() >= told["thinking"].items()


def test_a_bound_of_ours_without_room_to_think_is_refused() -> None:
    body = {"messages": [], "thinking": {"type": "enabled", "budget_tokens": 4000}}
    with pytest.raises(Refusal, match="at most 1024 tokens are left") as no:
        plug.encode(ask_of(body, DIALECT, output_bound_tokens=1024), target())
    assert (no.value.code.name, no.value.param) == ("output_too_long", "thinking.budget_tokens")


@pytest.mark.parametrize("stream", [True, False])
def test_a_conversation_is_sent_with_what_was_left_out_of_it(stream: bool) -> None:
    said = Conversation([Turn("user", (Text("hi"),))], seed=7)
    ask = ask_of({"messages": []}, stream=stream, output_bound_tokens=20)
    sent = plug.encode_conversation(said, ask, target(), True)
    body = msgspec.json.decode(sent.body)
    assert (sent.path, sent.dropped, sent.headers) == (b"/messages", ("seed",), ())
    assert (body["model"], body["max_tokens"]) == ("their-model", 20)
    assert body.get("stream", False) == stream


def test_a_whole_answer_of_its_own_callers() -> None:
    answer = plug.read_answer(ASK, (BYTES / "thinking.json").read_bytes())
    assert (answer.usage, answer.text) == (Usage(30, 0, 0, 20, 40), b"")
    assert (answer.finish_reason, answer.provider_request_id) == ("stop", "msg_01R")
    told = msgspec.json.decode((BYTES / "tools.json").read_bytes())
    told |= {"usage": None, "stop_reason": "something_new"}
    answer = plug.read_answer(ASK, msgspec.json.encode(told))
    assert (answer.usage, answer.finish_reason) == (None, "something_new")
    assert answer.text == b'Let me look.tide{"port":"Hamburg","days":1.5}wind{}'


def test_recorded_from_llama_cpp() -> None:
    answer = plug.read_answer(ASK, (BYTES / "llama_cpp.json").read_bytes())
    assert (answer.usage, answer.finish_reason) == (Usage(36, 0, None, 20), "length")


def test_a_reason_that_nobody_knows_has_no_place_in_another_dialect() -> None:
    told = msgspec.json.decode((BYTES / "chat.json").read_bytes())
    with pytest.raises(Failure) as failed:
        plug.read_spoken(ASK, msgspec.json.encode(told | {"stop_reason": "something_new"}))
    assert failed.value.kind == "interrupted"


def test_a_fault_says_when_to_come_back() -> None:
    failure = plug.fault(429, {"retry-after": "7"}, (BYTES / "error.json").read_bytes())
    assert (failure.kind, failure.retry_after_s) == ("rate_limited", 7.0)
