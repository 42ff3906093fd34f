"""The plug: where requests go, in whose name, and what AWS's own library makes of them."""

from typing import Any

import msgspec
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec import Raw
from tests.providers.bedrock_wire import BYTES, operation, problems, stream_of

from tidegate.core import plugs
from tidegate.core.ask import Ask, Outgoing
from tidegate.core.conversation import Conversation, Reasoning, Text, Turn
from tidegate.core.credential import Addressed, SigningKey
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Replica, Target
from tidegate.core.secret import Secret
from tidegate.core.spoken import FINISH_REASONS, fold
from tidegate.providers.bedrock import AwsSigner, plug, region_of

HOST = "bedrock-runtime.eu-central-1.amazonaws.com"
KEY = SigningKey("AKID", Secret("wJalrXUtn"), Secret("session/+="), "us-west-2")
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"


def ask(**more: Any) -> Ask:
    return Ask("chat", b"{}", {"model": Raw(b'"m"')}, "m", **more)


def encoded(model: str = MODEL, said: Conversation | None = None, **more: Any) -> Outgoing:
    target = Target("t", "bedrock", "bedrock", model, (Replica("r", "https", HOST, 443, ""),))
    told = said or Conversation([Turn("user", (Text("hi"),))])
    return plug.encode_conversation(told, ask(**more), target, False)


def test_the_plug_is_found_and_signs() -> None:
    assert plugs.load("providers", "bedrock") is plug
    assert plug.signer is not None
    for name in ("openai", "vllm", "anthropic"):
        assert plugs.load("providers", name).signer is None
    assert not plug.passthrough and plug.endpoints == {"chat"}
    assert plug.credential_header("key") == ("authorization", "Bearer key")


def test_the_model_is_in_the_path_however_it_is_written() -> None:
    assert encoded().path == (b"/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse")
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
    assert encoded(arn, stream=True).path == (
        b"/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aapplication-inference-profile"
        b"%2Fabc/converse-stream"
    )


def test_our_bound_goes_before_the_callers_ceiling() -> None:
    said = Conversation([Turn("user", (Text("hi"),))], ceiling_tokens=500)
    for bound, sent in ((None, 500), (99, 99)):
        body = msgspec.json.decode(encoded(said=said, output_bound_tokens=bound).body)
        assert body["inferenceConfig"] == {"maxTokens": sent}
    body = msgspec.json.decode(encoded().body)
    assert "inferenceConfig" not in body
    assert problems(operation("Converse").input_shape, body) == []


def test_what_is_left_out_is_named() -> None:
    said = Conversation([Turn("user", (Text("hi"),))], metadata={"ö": "x"})
    assert encoded(said=said).dropped == ("metadata",)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("bedrock-runtime.eu-central-1.api.aws:8443", "eu-central-1"),
        ("vpce-0a-1b.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"),
        ("bedrock.proxy.example.com", None),
        ("127.0.0.1:8080", None),
    ],
)
def test_an_address_says_its_region(host: str, region: str | None) -> None:
    assert region_of(host) == region


@pytest.mark.parametrize(("host", "region"), [(HOST, "eu-central-1"), ("proxy:8443", "us-west-2")])
def test_a_request_is_signed_as_botocore_would(host: str, region: str) -> None:
    outgoing = encoded(stream=True)
    everyone = (("content-type", "application/json"), ("user-agent", "tidegate"))
    to = Addressed(host, "/prefix", everyone)
    signed = dict(AwsSigner().sign(outgoing, to, KEY, 1_700_000_000.0))
    url = f"https://{host}/prefix{outgoing.path.decode()}"
    theirs = AWSRequest("POST", url, {"content-type": "application/json"}, outgoing.body)
    session = Credentials("AKID", "wJalrXUtn", "session/+=")
    signer = auth.SigV4Auth(session, "bedrock", region)
    theirs.context["timestamp"] = "20231114T221320Z"
    theirs.headers["X-Amz-Date"] = "20231114T221320Z"
    theirs.headers["X-Amz-Security-Token"] = "session/+="
    signature = signer.signature(
        signer.string_to_sign(theirs, signer.canonical_request(theirs)), theirs
    )
    assert signed["x-amz-date"] == "20231114T221320Z"
    assert signed["authorization"].endswith(f"Signature={signature}")
    assert f"/{region}/bedrock/aws4_request" in signed["authorization"]


def test_without_a_region_nothing_is_signed() -> None:
    key = SigningKey("AKID", Secret("wJalrXUtn"))
    with pytest.raises(Refusal) as no:
        AwsSigner().sign(encoded(), Addressed("proxy:8443"), key, 1.7e9)
    assert no.value.code.name == "credential_missing" and "wJalr" not in no.value.message


@pytest.mark.parametrize(
    ("model", "wire"), [(MODEL, "anthropic"), ("openai.gpt-oss-20b-1:0", "bedrock")]
)
def test_reasoning_is_that_of_the_model_that_was_asked(model: str, wire: str) -> None:
    asked = ask(model_sent=model)
    reader = plug.spoken_reader(asked)
    streamed = fold(reader.feed(stream_of("reasoning")) + reader.end()).choices[0].parts
    whole = plug.read_spoken(asked, (BYTES / "reasoning.json").read_bytes()).choices[0].parts
    for parts in (streamed, whole):
        found = {part.wire for part in parts if isinstance(part, Reasoning)}
        assert found == {wire}


def test_it_reads_streams_answers_and_faults() -> None:
    reader = plug.spoken_reader(ask())
    streamed = fold(reader.feed(stream_of("chat")) + reader.end())
    assert reader.finished
    assert plug.read_spoken(ask(), (BYTES / "chat.json").read_bytes()) == streamed
    assert FINISH_REASONS[streamed.choices[0].reason or "pause"] == "stop"
    overflow = (BYTES / "overflow.json").read_bytes()
    assert plug.fault(400, {}, overflow).kind == "overflow"
    assert plug.fault(400, {}, (BYTES / "error.json").read_bytes()).kind == "rejected"
