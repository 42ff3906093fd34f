"""Which paths are of Anthropic's batches, and in whose wire they say no."""

from pathlib import Path

import pytest
from tests.gateway.rig import gateway, run, target

from tidegate.gateway.http.reader import Head
from tidegate.gateway.message_front import Place, message_place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (b"/v1/messages/batches", Place("", "")),
        (b"/anthropic/v1/messages/batches/m-1", Place("m-1", "")),
        (b"/messages/batches/m/results", Place("m", "/results")),
        (b"/v1/messages/batches/m/cancel", Place("m", "/cancel")),
        (b"/v1/messages", None),
        (b"/v1/messages/batches/", None),
        (b"/v1/messages/batches/m/else", None),
        (b"/v1/batches", None),
    ],
    ids=range(8),
)
def test_paths(path: bytes, place: Place | None) -> None:
    assert message_place(Head(path=path)) == place


def test_errors_are_in_their_callers_wire(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            for headers, method, status, kind in (
                ({}, "GET", 401, "authentication_error"),
                (None, "PUT", 405, "invalid_request_error"),
                (None, "POST", 400, "invalid_request_error"),
            ):
                reply = await it.ask("/v1/messages/batches", b"{}", headers, method=method)
                assert (reply.status, reply.json["error"]["type"]) == (status, kind)
                assert reply.headers["request-id"] == reply.json["request_id"]

    run(main())
