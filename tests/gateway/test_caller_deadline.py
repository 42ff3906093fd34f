"""A caller's own deadline bounds all attempts together, in every dialect, and the error that it
gets is its dialect's."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.callers import DOWN, REQUESTS, Heard, Scripted, ask, throttled
from tests.gateway.rig import HELLO, plan_of, target
from tests.gateway.routed import routed
from tests.gateway.wires import HEAD

from tidegate.core.plan import Contract, Plan
from tidegate.core.resilience import Breaker, Deadlines, Retry

SLOWLY = Retry(attempts=10, base_s=2.0, cap_s=5.0, budget_percent=1000)
STREAMED = ("chat", "completions", "responses", "messages")
OURS = {"x-tidegate-timeout": "4"}
HEADERS = (OURS, {"x-stainless-read-timeout": "4.0"}, {"x-stainless-timeout": "4"})


def planned(request: str, **fields: Any) -> Plan:
    """A target and a fallback, of a wire that serves such a request."""
    dialect = "anthropic" if request == "count_tokens" else "openai_compatible"
    values = {"dialect": dialect, "breaker": Breaker(failures=1000), **fields}
    first, other = target(1, "one", **values), target(2, "two", **values)
    route = routed(first, unavailable=(other,), rate_limited=(other,), retry=SLOWLY)
    return plan_of(first, other, routes=route)


def asked(
    folder: Path,
    patch: pytest.MonkeyPatch,
    provider: Scripted,
    request: tuple[str, bool],
    headers: dict[str, str],
    **fields: Any,
) -> Heard:
    name, streamed = request
    path, body = REQUESTS[name]
    sent = {**body, "stream": True} if streamed else body
    return ask(folder, patch, planned(name, **fields), provider, (path, sent), headers)


EVERY = [(name, False) for name in REQUESTS] + [(name, True) for name in STREAMED]


def is_in_its_dialect(heard: Heard, name: str, code: str) -> bool:
    """The error's body as the clients of that API read it."""
    said = heard.reply.json
    if name in ("messages", "count_tokens"):
        return said["type"] == "error" and set(said["error"]) == {"type", "message"}
    return bool(said["error"]["code"] == code)


@pytest.mark.parametrize("headers", HEADERS, ids=lambda it: next(iter(it)))
@pytest.mark.parametrize("request_", EVERY, ids=lambda it: f"{it[0]}-{it[1]}")
def test_a_target_that_is_silent_is_left_at_the_caller_s_deadline(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request_: tuple[str, bool],
    headers: dict[str, str],
) -> None:
    provider = Scripted(None)
    heard = asked(tmp_path, monkeypatch, provider, request_, headers)
    assert len(provider.asked_s) == 1, "what is left of it is for nobody else"
    assert heard.took_s == pytest.approx(4.0, abs=0.2)
    assert heard.reply.status == 504
    assert is_in_its_dialect(heard, request_[0], "upstream_timeout")
    assert (heard.receipt.error_code, heard.receipt.cancelled_by) == (
        "upstream_timeout",
        "deadline",
    )


@pytest.mark.parametrize("request_", EVERY, ids=lambda it: f"{it[0]}-{it[1]}")
def test_attempts_pauses_and_fallbacks_end_within_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: tuple[str, bool]
) -> None:
    slow = Deadlines(first_token_s=1.5, total_s=1.5)  # each of the first two attempts
    provider = Scripted(None, DOWN, DOWN, DOWN, DOWN, None)
    heard = asked(tmp_path, monkeypatch, provider, request_, OURS, deadlines=slow)
    assert len(heard.receipt.attempts) == len(provider.asked_s) >= 3
    assert {it.target for it in heard.receipt.attempts} == {"one", "two"}
    assert heard.took_s <= 4.2
    assert provider.asked_s[-1] - provider.asked_s[0] < 4.0
    assert heard.reply.status in (502, 504)
    assert is_in_its_dialect(heard, request_[0], heard.receipt.error_code or "")


@pytest.mark.parametrize("request_", EVERY, ids=lambda it: f"{it[0]}-{it[1]}")
def test_a_pause_that_would_end_after_it_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: tuple[str, bool]
) -> None:
    heard = asked(tmp_path, monkeypatch, Scripted(throttled(4)), request_, OURS)
    assert heard.took_s < 0.5
    assert heard.reply.status == 429
    assert is_in_its_dialect(heard, request_[0], "upstream_rate_limited")


@pytest.mark.parametrize("name", STREAMED)
def test_an_error_after_the_head_is_an_event_of_its_dialect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    long = {"x-tidegate-timeout": "20"}
    heard = asked(tmp_path, monkeypatch, Scripted(None), (name, True), long)
    assert heard.took_s == pytest.approx(20.0, abs=0.2)
    assert heard.reply.status == 200
    last = heard.parts[-1][1]
    wanted = {"messages": b"event: error\n", "responses": b"event: error\n"}
    assert wanted.get(name, b'data: {"error"') in last
    assert b"[DONE]" not in heard.data


@pytest.mark.parametrize("name", [name for name in REQUESTS if name != "count_tokens"])
def test_one_that_is_none_is_refused_in_its_dialect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    wrong = {"x-tidegate-timeout": "soon"}
    heard = asked(tmp_path, monkeypatch, Scripted(None), (name, False), wrong)
    assert heard.reply.status == 400
    assert is_in_its_dialect(heard, name, "invalid_parameter")
    assert b"must be seconds, such as 2.5" in heard.data


class Unreachable(Scripted):
    """Nobody ever takes the connection."""

    async def connect(self, factory: Any) -> Any:
        await asyncio.sleep(3600.0)
        raise AssertionError(factory)


@pytest.mark.parametrize("request_", EVERY, ids=lambda it: f"{it[0]}-{it[1]}")
def test_connecting_ends_with_it_too_and_is_not_held_against_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: tuple[str, bool]
) -> None:
    breaker = Breaker(failures=1, when_all_open="refuse")
    soon = {"x-tidegate-timeout": "1.5"}
    heard = asked(tmp_path, monkeypatch, Unreachable(None), request_, soon, breaker=breaker)
    assert heard.took_s == pytest.approx(1.5, abs=0.2)
    assert heard.receipt.error_code == "upstream_timeout"
    assert heard.reply.status == 504
    assert heard.left_alone == 0


def test_a_provider_that_nobody_reaches_in_its_own_time_is_the_provider_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = Breaker(failures=1)
    heard = asked(tmp_path, monkeypatch, Unreachable(None), ("chat", False), {}, breaker=breaker)
    assert heard.receipt.error_code == "upstream_unreachable"
    assert heard.left_alone == 2


class Slow(Scripted):
    """Takes the connection after more than a second."""

    async def connect(self, factory: Any) -> Any:
        await asyncio.sleep(1.5)
        return await super().connect(factory)


@pytest.mark.parametrize("request_", EVERY, ids=lambda it: f"{it[0]}-{it[1]}")
def test_what_connecting_took_is_a_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: tuple[str, bool]
) -> None:
    heard = asked(tmp_path, monkeypatch, Slow(None), request_, OURS)
    assert heard.took_s == pytest.approx(4.0, abs=0.2)
    assert heard.receipt.error_code == "upstream_timeout"


def test_of_a_stream_that_is_held_back_it_bounds_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
    parts = [(1.0, b"%x\r\n%b\r\n" % (len(event), event)) for _ in range(60)]
    head = HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
    one = target(1, "one", breaker=Breaker(failures=1000))
    for buffer, took_s in ((False, 60.0), (True, 4.0)):
        contract = Contract(regex="a", on_violation="fail", buffer=buffer)
        plan = plan_of(one, routes=routed(one, contract=contract))
        provider = Scripted([(0.0, head), *parts, (0.0, b"0\r\n\r\n")])
        body = {**HELLO, "stream": True}
        path = tmp_path / str(buffer)
        heard = ask(path, monkeypatch, plan, provider, ("/v1/chat/completions", body), OURS)
        assert heard.took_s == pytest.approx(took_s, abs=0.5)
