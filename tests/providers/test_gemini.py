"""Gemini as a provider: where a request goes, with what credential, and whether it is paid for."""

import msgspec
import pytest
from tests.providers.streams import asked

from tidegate.config.prices import PriceTable
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Replica, Target
from tidegate.providers.gemini import plug

NOW_S = 1_790_000_000.0


def target(model: str = "gemini-2.5-flash") -> Target:
    return Target("t", "p", "gemini", model, (Replica("r", "https", "h", 443, "/v1beta"),))


def said(**more: object) -> Conversation:
    return Conversation([Turn("user", (Text("a"),))], **more)


def test_its_address_and_whether_it_is_hosted() -> None:
    assert plug.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert (plug.hosted, plug.endpoints, plug.headers) == (True, {"chat", "embeddings"}, ())
    assert not plug.passthrough
    assert plug.credential_header("k") == ("x-goog-api-key", "k")


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-2.5-flash", False, b"/models/gemini-2.5-flash:generateContent"),
        ("gemini-2.5-flash", True, b"/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("models/gemini-2.5-pro", False, b"/models/gemini-2.5-pro:generateContent"),
        ("tunedModels/my own?", False, b"/tunedModels/my%20own%3F:generateContent"),
    ],
)
def test_the_model_stands_in_the_path(model: str, stream: bool, path: bytes) -> None:
    outgoing = plug.encode_conversation(said(), asked(stream=stream), target(model), False)
    assert (outgoing.path, outgoing.headers, outgoing.dropped) == (path, (), ())


def test_a_bound_of_ours_goes_before_the_callers_ceiling() -> None:
    conversation = said(ceiling_tokens=100)
    for bound, sent in ((None, 100), (40, 40)):
        ask = asked(output_bound_tokens=bound)
        body = plug.encode_conversation(conversation, ask, target(), False).body
        assert msgspec.json.decode(body)["generationConfig"] == {"maxOutputTokens": sent}


def test_what_is_left_out_is_named() -> None:
    conversation = said(parallel_tools=False, names={"parallel_tools": "parallel_tool_calls"})
    with pytest.raises(Refusal):
        plug.encode_conversation(conversation, asked(), target(), False)
    outgoing = plug.encode_conversation(conversation, asked(), target(), True)
    assert outgoing.dropped == ("parallel_tool_calls",)


def test_it_reads_answers_and_faults() -> None:
    body = b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}'
    assert plug.read_spoken(asked(), body).choices[0].parts == [Text("a")]
    reader = plug.spoken_reader(asked())
    reader.feed(b"data: %b\n\n" % body)
    reader.end()
    assert reader.finished
    with pytest.raises(Failure):
        plug.read_spoken(asked(), b"{}")
    assert plug.fault(429, {"retry-after": "7"}, b"").retry_after_s == 7.0


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-pro-preview"])
@pytest.mark.parametrize(
    "url", [f"{plug.base_url}".replace(".com/", ".com:443/"), "http://proxy:80"]
)
def test_its_models_are_priced_by_address_and_by_name(model: str, url: str) -> None:
    price = PriceTable(NOW_S).quote("gemini", url, model).price
    assert price is not None
    assert price.version.startswith("genai-prices ")
    assert f"google/{model}" in price.version
