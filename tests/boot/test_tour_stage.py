"""What parts of the demo work with."""

import asyncio
from pathlib import Path

import click
import pytest
from tests.boot.stages import stage
from tests.record.engines import Talk, answer, serving

from tidegate.boot import tour_stage
from tidegate.boot.tour_stage import Answered, Callers, Failed

REFUSAL = b'{"error": {"message": "no", "code": "insufficient_quota"}}'


async def asked(port: int) -> Answered:
    callers = Callers(f"http://127.0.0.1:{port}", "sk-tg-x", 1)
    try:
        return await callers.ask("hello", max_tokens=5)
    finally:
        await callers.close()


@pytest.mark.parametrize(
    ("talk", "found"),
    [
        (answer(b"{}", "200 OK", "x-request-id: r1"), Answered(200, "r1")),
        (answer(REFUSAL, "429 No", "x-request-id: r2"), Answered(429, "r2", "insufficient_quota")),
        (answer(b"<html>", "502 Bad"), Answered(502)),
        (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n"), Answered(None)),
        (
            lambda connection: connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx-request-id: r3\r\n\r\n{"
            ),
            Answered(None),
        ),
    ],
)
def test_a_call_counts_only_when_it_came_whole(talk: Talk, found: Answered) -> None:
    with serving(talk) as (port, requests):
        assert asyncio.run(asked(port)) == found
    assert b"authorization: bearer sk-tg-x" in requests[0].lower()


def test_what_fails_meanwhile_is_tried_again(tmp_path: Path) -> None:
    tries: list[int] = []

    def holds() -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise click.ClickException("control is not back")
        return len(tries) == 4

    stage(tmp_path, []).until(holds, "never")
    assert len(tries) == 4


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour_stage, "_PATIENCE_S", 0.1)
    with pytest.raises(Failed, match="the engine does not answer"):
        stage(tmp_path, []).wait_until_serving()
