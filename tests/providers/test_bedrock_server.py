"""Our simulated Bedrock is one to AWS's own client, and takes what our plug sends over a socket."""

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from botocore import session
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.dialects.grammar import ask_of, hear, target
from tests.providers.bedrock_server import FakeBedrock, serving

from tidegate.core import clock, plugs
from tidegate.core.conversation import Conversation, Image, Text, Turn
from tidegate.core.credential import Addressed, SigningKey
from tidegate.core.plugs import Dialect
from tidegate.core.secret import Secret
from tidegate.core.spoken import Spoken, fold
from tidegate.providers.bedrock import AwsSigner, plug

KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "session/+=")
OURS = SigningKey(KEY[0], Secret(KEY[1]), Secret(KEY[2]), "eu-central-1")
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
SAID = Conversation([Turn("user", (Text("hi ☀"), Image("iVBOR+/=", "image/png")))])


@pytest.fixture
def bedrock() -> FakeBedrock:
    return FakeBedrock(KEY, bearer="bedrock-api-key-1")


@pytest.fixture
def url(bedrock: FakeBedrock) -> Iterator[str]:
    with serving(bedrock) as address:
        yield address


def client(url: str, secret: str = KEY[1]) -> Any:
    """AWS's own, as an application has it."""
    return session.Session().create_client(
        "bedrock-runtime",
        "eu-central-1",
        endpoint_url=url,
        aws_access_key_id=KEY[0],
        aws_secret_access_key=secret,
        aws_session_token=KEY[2],
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def test_awss_own_client_holds_a_conversation_with_it(url: str, bedrock: FakeBedrock) -> None:
    bedrock.answers = ["tools", "reasoning"]
    messages = [{"role": "user", "content": [{"text": "hi"}]}]
    whole = client(url).converse(modelId=MODEL, messages=messages)
    assert whole["output"]["message"]["content"][1]["toolUse"]["input"] == {"city": "Paris"}
    streamed = client(url).converse_stream(modelId=MODEL, messages=messages)
    assert [next(iter(event)) for event in streamed["stream"]][-1] == "metadata"
    assert bedrock.bodies == [{"messages": messages}] * 2
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        client(url, "other").converse(modelId=MODEL, messages=messages)


def send(url: str, *, key: SigningKey | None = OURS, stream: bool = False) -> httpx2.Response:
    """A request of our plug as the gateway puts it together."""
    ask = ask_of({"messages": []}, stream=stream)
    outgoing = plug.encode_conversation(SAID, ask, target(MODEL), False)
    everyone: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)
    host = url.removeprefix("http://")
    if key is None:
        more: Any = [plug.credential_header("bedrock-api-key-1")]
    else:
        more = AwsSigner().sign(outgoing, Addressed(host, "", everyone), key, clock.wall_s())
    headers = [*everyone, *outgoing.headers, *more]
    path = outgoing.path.decode()
    return httpx2.post(f"{url}{path}", content=outgoing.body, headers=headers, trust_env=False)


@pytest.mark.parametrize("name", ["chat", "tools", "reasoning"])
@pytest.mark.parametrize("stream", [True, False])
def test_what_our_plug_signs_is_taken(
    url: str, bedrock: FakeBedrock, name: str, stream: bool
) -> None:
    bedrock.answers = [name]
    answer = send(url, stream=stream)
    assert answer.status_code == 200, answer.content
    assert bedrock.paths[0].partition("/converse")[0] == "/model/" + MODEL.replace(":", "%3A")
    assert bedrock.bodies[0]["messages"][0]["content"][1]["image"]["source"]["bytes"] == "iVBOR+/="
    if stream:
        reader = plug.spoken_reader(ask_of({"messages": []}))
        spoken: Spoken = fold(hear(reader, list(answer.iter_bytes())))
    else:
        spoken = plug.read_spoken(ask_of({"messages": []}), answer.content)
    assert spoken.choices[0].parts and spoken.usage is not None


def test_a_bearer_key_is_taken_as_it_is(url: str) -> None:
    assert send(url, key=None).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        SigningKey(KEY[0], Secret("another"), Secret(KEY[2]), "eu-central-1"),
        SigningKey("AKIDOTHER", Secret(KEY[1]), Secret(KEY[2]), "eu-central-1"),
        SigningKey(KEY[0], Secret(KEY[1]), None, "eu-central-1"),
    ],
)
def test_another_key_is_our_fault_and_nobody_elses(url: str, key: SigningKey) -> None:
    answer = send(url, key=key)
    failure = plug.fault(answer.status_code, dict(answer.headers), answer.content)
    assert (answer.status_code, failure.code.name) == (403, "upstream_auth")


@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages"])
def test_a_callers_whole_request_is_one_that_aws_takes(
    url: str, bedrock: FakeBedrock, name: str
) -> None:
    body: Any = {
        "model": "m",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "weather", "description": "Looks."}
    if name == "openai_chat":
        body["tools"] = [{"type": "function", "function": {**function, "parameters": schema}}]
        body["tool_choice"] = "required"
    else:
        body["tools"] = [{**function, "input_schema": schema}]
        body["tool_choice"] = {"type": "any"}
    dialect: Dialect = plugs.load("dialects", name)
    ask = ask_of(body, name, output_ceiling_tokens=100)
    outgoing = plug.encode_conversation(dialect.read(ask), ask, target(MODEL), False)
    headers = dict([plug.credential_header("bedrock-api-key-1")])
    answer = httpx2.post(
        url + outgoing.path.decode(), content=outgoing.body, headers=headers, trust_env=False
    )
    assert answer.status_code == 200, answer.content
    assert bedrock.bodies == [
        {
            "messages": [{"role": "user", "content": [{"text": "hi"}]}],
            "inferenceConfig": {"maxTokens": 100},
            "toolConfig": {
                "tools": [{"toolSpec": {**function, "inputSchema": {"json": schema}}}],
                "toolChoice": {"any": {}},
            },
        }
    ]
    assert msgspec.json.decode(outgoing.body) == bedrock.bodies[0]
