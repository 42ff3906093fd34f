"""Where it is, and whether somebody must be paid for it. Its wire is proven in the contract."""

import msgspec
from tests.dialects.grammar import ask_of, target
from tests.providers.responses_wire import response

from tidegate.core.conversation import Text
from tidegate.providers._media import PATHS as MEDIA_PATHS
from tidegate.providers._openai_responses_stream import OpenAIResponsesStreamReader
from tidegate.providers.azure_openai import plug as azure
from tidegate.providers.openai import plug
from tidegate.providers.openai_compatible import PATHS


def test_its_address_and_whether_it_is_hosted() -> None:
    assert (plug.base_url, plug.hosted) == ("https://api.openai.com/v1", True)
    assert plug.endpoints == {*PATHS, *MEDIA_PATHS} - {"rerank"}


def test_responses_pass_as_they_are() -> None:
    ask = ask_of({"model": "m", "input": "x"}, "openai_responses")
    responses = plug.passthrough["openai_responses"]
    assert responses.encode(ask, target()).path == b"/responses"
    assert isinstance(responses.reader(ask), OpenAIResponsesStreamReader)
    assert responses.read_answer(ask, msgspec.json.encode(response())).finish_reason == "stop"


def test_azure_s_dated_api_has_none_so_that_they_are_translated_there() -> None:
    ask = ask_of({"model": "m", "input": "x"}, "openai_responses")
    assert azure.passthrough.keys() == {"openai_chat", "media"}
    assert azure.passthrough["openai_chat"] is azure
    answer = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
    spoken = azure.read_spoken(ask, msgspec.json.encode(answer))
    assert spoken.choices[0].parts == [Text("hi")]
