"""OpenAI's wire at Azure: where a request goes, and what its content filter adds to answers."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Raw, structs
from tests.providers.streams import DONE, asked, choice, sent, usage

from tidegate.config.prices import PriceTable
from tidegate.core.ask import Usage
from tidegate.core.conversation import Conversation, Text, Turn
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Replica, Target
from tidegate.core.spoken import Began, Choice, fold
from tidegate.providers.azure_openai import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes/azure_openai"
FILTERED = {"hate": {"filtered": False, "severity": "safe"}}
FIRST = sent(
    {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERED}],
    }
)
# A filter that judges beside the stream tells of it later, in a choice without content.
NOTE = sent(
    {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [
            {
                "index": 0,
                "finish_reason": None,
                "content_filter_results": FILTERED,
                "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": 9},
            }
        ],
    }
)
TOLD = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
STREAM = [FIRST, choice(role="assistant", content=""), choice(content="Hel"), NOTE]
STREAM += [choice(content="lo"), choice(0, "stop"), NOTE, usage(TOLD), DONE]


def target(prefix: str, **more: object) -> Target:
    replica = Replica("r", "https", "n.openai.azure.com", 443, prefix)
    return structs.replace(Target("t", "p", "azure_openai", "gpt 4o", (replica,)), **more)


def test_it_is_hosted_and_has_no_address_of_its_own() -> None:
    assert (plug.base_url, plug.hosted) == (None, True)
    assert plug.credential_header("k") == ("api-key", "k")


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        ("/openai/v1", b"/chat/completions"),
        ("", b"/openai/deployments/gpt%204o/chat/completions?api-version=2024-10-21"),
        ("/openai", b"/deployments/gpt%204o/chat/completions?api-version=2024-10-21"),
        ("/openai/deployments/own", b"/chat/completions?api-version=2024-10-21"),
    ],
)
def test_the_deployment_stands_in_the_path_or_in_the_body(prefix: str, path: bytes) -> None:
    said = Conversation([Turn("user", (Text("a"),))])
    passed = plug.encode(asked(), target(prefix))
    written = plug.encode_conversation(said, asked(), target(prefix), False)
    for outgoing in (passed, written):
        assert outgoing.path == path
        assert msgspec.json.decode(outgoing.body)["model"] == "gpt 4o"


def test_embeddings_have_their_path_and_a_version_its_place_in_the_plan() -> None:
    dated = target("", headers=(("api-version", "2025-04-01-preview"),))
    members = {"model": Raw(b'"m"'), "input": Raw(b'"a"')}
    outgoing = plug.encode(asked(endpoint="embeddings", members=members), dated)
    assert (
        outgoing.path == b"/openai/deployments/gpt%204o/embeddings?api-version=2025-04-01-preview"
    )


def test_the_ceiling_is_the_one_that_every_model_there_reads() -> None:
    body = plug.encode(asked(output_bound_tokens=7), target("")).body
    assert msgspec.json.decode(body)["max_completion_tokens"] == 7


def test_what_the_filter_says_passes_and_is_no_content() -> None:
    reader = plug.reader(asked(include_usage=True))
    shown = b"".join([reader.feed(part) for part in STREAM])
    assert shown + reader.terminal == b"".join(STREAM)
    assert (reader.content_chunks, reader.finish_reason) == (2, "stop")
    assert (reader.model_served, reader.provider_request_id) == ("served", "c")


def test_another_dialect_hears_nothing_of_the_filter() -> None:
    reader = plug.spoken_reader(asked())
    events = [event for part in STREAM for event in reader.feed(part)]
    events += reader.end()
    assert reader.finished
    assert [event for event in events if isinstance(event, Began)] == [Began("c", "served")]
    assert fold(events).choices == [Choice([Text("Hello")], "stop")]
    assert fold(events).usage == Usage(3, None, None, 2)


def test_a_filter_in_the_middle_is_a_refusal() -> None:
    reader = plug.spoken_reader(asked())
    events = reader.feed((BYTES / "filtered.sse").read_bytes()) + reader.end()
    assert fold(events).choices == [Choice([Text("First,")], "refusal")]


@pytest.mark.parametrize(
    ("name", "status", "kind", "code"),
    [
        ("blocked", 400, "refused_by_safety", "rejected_by_provider"),
        ("overflow", 400, "overflow", "context_length_exceeded"),
        ("error", 400, "rejected", "rejected_by_provider"),
        ("bad_key", 401, "unavailable", "upstream_auth"),
        ("no_deployment", 404, "unavailable", "upstream_error"),
        ("throttled", 429, "rate_limited", "upstream_rate_limited"),
    ],
)
def test_its_errors_mean_what_they_say(name: str, status: int, kind: str, code: str) -> None:
    body = (BYTES / f"{name}.json").read_bytes()
    failure = plug.fault(status, {"retry-after-ms": "9000"}, body)
    assert (failure.kind, failure.code.name) == (kind, code)
    assert failure.retry_after_s == (9.0 if status == 429 else None)


@pytest.mark.parametrize(
    "url",
    ["https://n.openai.azure.com:443/openai/v1", "https://n.openai.azure.com:443", "http://a:80"],
)
def test_a_deployment_named_after_its_model_is_priced(url: str) -> None:
    price = PriceTable(1_790_000_000.0).quote("azure_openai", url, "gpt-4o").price
    assert price is not None
    assert "azure/gpt-4o" in price.version
    assert PriceTable(1_790_000_000.0).quote("azure_openai", url, "my-own").price is None


def test_files_and_batches_lie_beside_deployments() -> None:
    wire = plug.batches
    assert wire is not None
    assert wire.price_share == 0.5
    for prefix, path in (
        ("/openai/v1", b"/files"),
        ("", b"/openai/files?api-version=2024-10-21"),
        ("/openai", b"/files?api-version=2024-10-21"),
    ):
        assert wire.path(target(prefix), b"/files") == path
    assert wire.path(target("/openai/v1"), b"/batches", b"limit=2") == b"/batches?limit=2"
    dated = target("/openai", headers=(("api-version", "2025-01-01"),))
    listed = b"/batches?api-version=2025-01-01&limit=2"
    assert wire.path(dated, b"/batches", b"limit=2") == listed
    assert wire.url("chat") == "/chat/completions"
    with pytest.raises(Refusal, match="names a deployment"):
        wire.path(target("/openai/deployments/d"), b"/files")
