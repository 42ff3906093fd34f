"""What all wires of Vertex AI share."""

import pytest
from tests.providers.streams import asked

from tidegate.core.ask import Outgoing
from tidegate.providers._vertex_wire import VertexWire, at, named

GOOGLES = b'[{"error":{"code":%d,"message":"no","status":"%b"}}]'
ANTHROPICS = b'{"type": "error","error":{"type":"invalid_request_error","message":"%b"}}'


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gemini-2.5-flash", "gemini-2.5-flash"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5@20250929"),
        ("publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"),
        ("google/a b?/../c", "c"),
        ("a b?#:x", "a%20b%3F%23%3Ax"),
    ],
)
def test_a_name_stays_one_part_of_a_path(model: str, name: str) -> None:
    assert named(model) == name


def test_an_api_key_has_a_header_of_its_own() -> None:
    header = VertexWire().credential_header
    assert header("AIzaSyExample") == ("x-goog-api-key", "AIzaSyExample")
    assert header("AQ.Example") == ("x-goog-api-key", "AQ.Example")
    assert header("ya29.example") == ("authorization", "Bearer ya29.example")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, GOOGLES % (401, b"UNAUTHENTICATED"), "unavailable", "upstream_auth"),
        (403, GOOGLES % (403, b"PERMISSION_DENIED"), "unavailable", "upstream_auth"),
        (429, GOOGLES % (429, b"RESOURCE_EXHAUSTED"), "rate_limited", "upstream_rate_limited"),
        (400, ANTHROPICS % b"temperature: no", "rejected", "rejected_by_provider"),
        (400, ANTHROPICS % b"Output blocked by content filtering policy", *("refused_by_safety",),
         "rejected_by_provider"),
        (503, b"<html>", "unavailable", "upstream_overloaded"),
    ],
)  # fmt: skip
def test_errors_of_google_and_of_the_publisher(
    status: int, body: bytes, kind: str, code: str
) -> None:
    failure = VertexWire().fault(status, {}, body)
    assert (failure.kind, failure.code.name) == (kind, code)


def test_all_but_path_and_body_of_a_request_stays() -> None:
    was = Outgoing(b"/x", b"{}", (("anthropic-beta", "b"),), ("user",))
    now = at(was, "/y", b"[]")
    assert (now.path, now.body, now.headers, now.dropped) == (
        *(b"/y", b"[]"),
        *(was.headers, was.dropped),
    )
    assert asked().endpoint == "chat"
