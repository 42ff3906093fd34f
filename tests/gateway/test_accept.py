"""What a request may say, and what is said to one that may not."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.rig import CHAT, HELLO, gateway, run, target
from tests.gateway.upstream import Upstream, streaming

from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.accept import MAX_CHOICES, MAX_OUTPUT_TOKENS, accept
from tidegate.gateway.entry import CHAT as CHAT_ENTRY
from tidegate.gateway.entry import COMPLETIONS, EMBEDDINGS
from tidegate.gateway.http.reader import RequestReader

ENTRIES = {entry.endpoint: entry for entry in (CHAT_ENTRY, COMPLETIONS, EMBEDDINGS)}
TEXT = "/v1/completions"
VECTOR = "/v1/embeddings"


def judged(body: bytes, headers: bytes = b"", endpoint: Any = "chat") -> tuple[Any, Receipt]:
    """The Ask and the receipt of a request as it would come off the wire."""
    reader = RequestReader(1 << 20)
    head = b"POST /v1/x HTTP/1.1\r\nhost: h\r\n%bcontent-length: %d\r\n\r\n" % (headers, len(body))
    reader.feed(head + body, 0.0)
    receipt = Receipt("id", 0.0, "g", endpoint)
    return accept(reader.whole[0], ENTRIES[endpoint], receipt), receipt


def chat(**members: Any) -> dict[str, Any]:
    return {**HELLO, **members}


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        (CHAT, b"", "invalid_json", None),
        (CHAT, b"{", "invalid_json", None),
        (CHAT, b"[]", "invalid_json", None),
        (CHAT, b'"text"', "invalid_json", None),
        (CHAT, b'{"model":"small","messages":[]} x', "invalid_json", None),
        (CHAT, b'{"model":"small","messages":[NaN]}', "invalid_json", None),
        (CHAT, b'\xff{"model":"small","messages":[]}', "invalid_json", None),
        (CHAT, b'{"model":"a","model":"small","messages":[]}', "invalid_json", None),
        (CHAT, b'{"messages":[]}', "missing_parameter", "model"),
        (CHAT, b'{"model":"small"}', "missing_parameter", "messages"),
        (TEXT, b'{"model":"small"}', "missing_parameter", "prompt"),
        (VECTOR, b'{"model":"small"}', "missing_parameter", "input"),
        (CHAT, chat(messages="hi"), "invalid_parameter", "messages"),
        (CHAT, chat(messages={"a": 1}), "invalid_parameter", "messages"),
        (CHAT, chat(model=7), "invalid_parameter", "model"),
        (CHAT, chat(model=""), "invalid_parameter", "model"),
        (CHAT, chat(model="m" * 257), "invalid_parameter", "model"),
        (CHAT, chat(model="a\r\nset-cookie: x"), "invalid_parameter", "model"),
        (CHAT, chat(n=10**9), "invalid_parameter", "n"),
        (CHAT, chat(n=0), "invalid_parameter", "n"),
        (CHAT, chat(n=-1), "invalid_parameter", "n"),
        (CHAT, chat(n="2"), "invalid_parameter", "n"),
        (CHAT, chat(n=1.5), "invalid_parameter", "n"),
        (CHAT, chat(n=True), "invalid_parameter", "n"),
        (CHAT, chat(max_tokens=-1), "invalid_parameter", "max_tokens"),
        (CHAT, chat(max_tokens=2**63), "invalid_parameter", "max_tokens"),
        (CHAT, b'{"model":"small","messages":[],"max_tokens":1e999}', "invalid_parameter", None),
        (CHAT, chat(max_completion_tokens=[]), "invalid_parameter", "max_completion_tokens"),
        (CHAT, chat(stream="yes"), "invalid_parameter", "stream"),
        (CHAT, chat(stream_options=3), "invalid_parameter", "stream_options"),
        (CHAT, chat(user={"id": 1}), "invalid_parameter", "user"),
        (CHAT, b"[" * 200_000, "invalid_json", None),
        (
            CHAT,
            b'{"model":"small","messages":' + b"[" * 5000 + b"]" * 5000 + b"}",
            "invalid_json",
            None,
        ),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_by_name(
    tmp_path: Path, path: str, body: Any, code: str, param: str | None
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(path, body)
            assert (reply.status, reply.code) == (400, code)
            assert reply.headers["x-should-retry"] == "false"
            if param is not None:
                assert reply.json["error"]["param"] == param
            assert not up.exchanges
            assert "set-cookie" not in reply.headers

    run(main())


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "multipart/form-data; boundary=x"}, {"content-encoding": "gzip"}],
)
def test_forms_and_compressed_bodies_are_not_taken(tmp_path: Path, headers: dict[str, str]) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(headers={"x-api-key": it.key, **headers})
            assert (reply.status, reply.code) == (415, "unsupported_media_type")

    run(main())


def test_what_is_not_judged_reaches_the_provider_as_it_came(tmp_path: Path) -> None:
    raw = (
        b'{"temperature": 0.10000000000000000001,  "seed":123456789012345678901234567890,'
        b'"model":"served-model","x_new":{"a":[1.0e2,"\\u00e9"]},"messages":[]}'
    )

    async def main() -> None:
        async with (
            Upstream() as up,
            gateway(tmp_path, target(up.port, name="served-model")) as it,
        ):
            await it.ask(body=raw)
            assert up.exchanges[0].body == raw

    run(main())


def test_members_survive_the_change_of_the_model_s_name(tmp_path: Path) -> None:
    raw = b'{"seed":123456789012345678901234567890, "model":"small","t":1.50,"messages":[]}'

    async def main() -> None:
        async with Upstream(streaming()) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body=raw.replace(b'"t"', b'"stream":true,"t"'))
            sent = up.exchanges[0].body
            assert b"123456789012345678901234567890" in sent
            assert b"1.50" in sent
            assert b'"model":"served-model"' in sent

    run(main())


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70))
def test_ceilings_are_the_lower_of_two_within_bounds(one: int, other: int) -> None:
    body = b'{"model":"m","messages":[],"max_tokens":%d,"max_completion_tokens":%d}' % (one, other)
    if all(1 <= value <= MAX_OUTPUT_TOKENS for value in (one, other)):
        assert judged(body)[0].output_ceiling_tokens == min(one, other)
    else:
        with pytest.raises(Refusal):
            judged(body)


@given(st.integers(-5, MAX_CHOICES + 5))
def test_choices_stay_within_their_bound(count: int) -> None:
    body = b'{"model":"m","messages":[],"n":%d}' % count
    if 1 <= count <= MAX_CHOICES:
        assert judged(body)[0].choices == count
    else:
        with pytest.raises(Refusal):
            judged(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_ask_or_a_refusal(body: bytes) -> None:
    try:
        judged(body)
    except Refusal as refusal:
        assert refusal.code.fault == "caller"


def test_the_receipt_takes_what_the_caller_says_of_the_session() -> None:
    headers = (
        b"x-tidegate-session-id: run-7\r\nx-litellm-end-user-id: anna\r\nx-request-id: mine\r\n"
        b"x-stainless-retry-count: 2\r\n"
        b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        b"baggage: a=b, tidegate.retrieval_ms=12.5,tidegate.tool_ms=3\r\n"
    )
    receipt = judged(b'{"model":"m","messages":[],"user":"other"}', headers)[1]
    assert receipt.session_id == "run-7"
    assert receipt.end_user == "anna"
    assert receipt.client_request_id == "mine"
    assert receipt.retry_count == 2
    assert receipt.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert (receipt.retrieval_s, receipt.tool_s) == (0.0125, 0.003)


@pytest.mark.parametrize(
    "headers",
    [
        b"x-request-id: " + b"x" * 300 + b"\r\n",
        b"traceparent: 00-zz-01\r\n",
        b"traceparent: \r\n",
        b"baggage: tidegate.retrieval_ms=-5\r\n",
        b"baggage: tidegate.retrieval_ms=1e9\r\nx-stainless-retry-count: 99999999\r\n",
        b"x-tidegate-session-id: a\x85b\r\n",
    ],
)
def test_strange_context_counts_as_absent(headers: bytes) -> None:
    receipt = judged(b'{"model":"m","messages":[],"metadata":[1],"user":"a\\u0000"}', headers)[1]
    assert receipt.session_id is None
    assert receipt.end_user is None
    assert receipt.client_request_id is None
    assert receipt.retry_count is None
    assert receipt.trace_id is None
    assert receipt.retrieval_s is None


def test_the_body_names_session_and_user_where_the_head_does_not() -> None:
    body = b'{"model":"m","messages":[],"user":"u","metadata":{"session_id":"s"}}'
    receipt = judged(body)[1]
    assert (receipt.end_user, receipt.session_id) == ("u", "s")
