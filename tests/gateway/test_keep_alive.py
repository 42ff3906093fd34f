"""What the client of a stream hears while nothing comes: before an answer, in a pause, after it."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.callers import DOWN, REQUESTS, Heard, Scripted, ask, events, throttled
from tests.gateway.rig import plan_of, target
from tests.gateway.routed import routed
from tests.gateway.wires import CHUNK, DONE, HEAD, LAST, USAGE

from tidegate.core.plan import HttpBounds
from tidegate.core.resilience import Deadlines, Retry

EVERY_S = 15.0
COMMENT = b": keepalive\n\n"
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
SIGNS = {"chat": COMMENT, "completions": COMMENT, "responses": COMMENT, "messages": PING}
ANSWER = b"".join(b"%x\r\n%b\r\n" % (len(it), it) for it in (CHUNK, LAST, USAGE, DONE))
STREAM = HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
GOOD = STREAM + ANSWER + b"0\r\n\r\n"
PATIENT = Retry(attempts=9, base_s=3600.0, cap_s=3600.0, retry_after_cap_s=3600.0)


def heard_of(
    folder: Path, patch: pytest.MonkeyPatch, provider: Scripted, name: str, **fields: Any
) -> Heard:
    """A streamed request; its target's deadlines are long, and so are the pauses of its route."""
    path, body = REQUESTS[name]
    small = target(1, deadlines=Deadlines(total_s=7000.0, **{"first_token_s": 600.0, **fields}))
    plan = plan_of(small, http=HttpBounds(), routes=routed(small, retry=PATIENT))
    return ask(folder, patch, plan, provider, (path, {**body, "stream": True}))


def signs_at(heard: Heard, sign: bytes) -> list[float]:
    return [round(at_s) for at_s, part in heard.parts if sign in part]


def ends_well(heard: Heard, name: str) -> bool:
    """Whether all of the answer is there, whatever stands between."""
    if name == "messages":
        return events(heard.data)[-1]["type"] == "message_stop" and b"Hi " in heard.data
    if name == "responses":
        return events(heard.data)[-1]["type"] == "response.completed"
    return heard.data.endswith(DONE + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("name", SIGNS)
def test_a_provider_that_does_not_begin_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    provider = Scripted([(50.0, GOOD)])
    heard = heard_of(tmp_path, monkeypatch, provider, name)
    assert signs_at(heard, SIGNS[name]) == [15, 30, 45]
    assert heard.data.startswith(b"HTTP/1.1 200 OK\r\n") and heard.data.count(b"HTTP/1.1") == 1
    assert ends_well(heard, name)
    assert (heard.receipt.status, heard.receipt.error_code) == (200, None)


@pytest.mark.parametrize("name", SIGNS)
def test_an_answer_that_has_begun_and_holds_nothing_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    provider = Scripted([(10.0, STREAM), (40.0, ANSWER + b"0\r\n\r\n")])
    heard = heard_of(tmp_path, monkeypatch, provider, name)
    assert signs_at(heard, SIGNS[name]) == [15, 30, 45], "whatever it waits for, as one silence"
    assert ends_well(heard, name)


@pytest.mark.parametrize("name", SIGNS)
def test_a_pause_before_another_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    provider = Scripted(throttled(40), GOOD)
    monkeypatch.setattr("tidegate.gateway.chain.pause", lambda *_: 0.5)
    heard = heard_of(tmp_path, monkeypatch, provider, name)
    assert len(heard.receipt.attempts) == 2
    assert signs_at(heard, SIGNS[name]) == [15, 30]
    assert ends_well(heard, name)


@pytest.mark.parametrize("name", SIGNS)
def test_attempts_that_each_take_less_than_it_are_one_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("tidegate.gateway.chain.pause", lambda *_: 10.0)
    provider = Scripted([(6.0, DOWN)], [(6.0, DOWN)], [(6.0, GOOD)])
    heard = heard_of(tmp_path, monkeypatch, provider, name)
    assert len(heard.receipt.attempts) == 3
    assert signs_at(heard, SIGNS[name]) == [15, 30]
    assert ends_well(heard, name)


@pytest.mark.parametrize("name", SIGNS)
def test_a_failure_after_it_is_the_stream_s_last_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    heard = heard_of(tmp_path, monkeypatch, Scripted(None), name, first_token_s=20.0)
    assert signs_at(heard, SIGNS[name]) == [15]
    assert "error" in (last := events(heard.data)[-1]) or last["type"] == "error"
    assert (heard.receipt.status, heard.receipt.interrupted) == (200, True)


@pytest.mark.parametrize("name", ["chat", "messages", "embeddings"])
def test_who_wants_a_whole_answer_hears_nothing_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    small = target(1, deadlines=Deadlines(total_s=40.0))
    heard = ask(tmp_path, monkeypatch, small, Scripted(None), REQUESTS[name])
    assert len(heard.parts) == 1
    assert heard.reply.status == 504
