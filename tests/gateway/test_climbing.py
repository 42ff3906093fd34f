"""What is asked at a rung: the request as it came, changed by that rung alone."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.gateway.rig import gateway, plan_of, run, target
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, answer_bytes, completion
from tests.gateway.with_prompt import NAME, TIDE, tagged, version

from tidegate.core.ask import Ask
from tidegate.core.ladder import History, Rung, When
from tidegate.core.outcome import Refusal
from tidegate.core.prompt import Input, RoutePrompt, Turn
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Retry
from tidegate.gateway.climbing import Climbing, Step, begun, derive
from tidegate.gateway.entry import dialects
from tidegate.gateway.prepared import Preparer
from tidegate.stores.memory_counters import memory_counters

TURNS = [{"role": "user", "content": text} for text in ("one", "two")]
BODY = {"model": "small", "messages": [TURNS[0], {"role": "assistant", "content": "a"}, TURNS[1]]}


def ask(**fields: Any) -> Ask:
    body = msgspec.json.encode({**BODY, **fields})
    members = msgspec.json.decode(body, type=dict[str, Raw])
    return Ask("chat", body, members, "small")


def climbing(*rungs: Rung, asked: Ask | None = None, **route: Any) -> Climbing:
    a, b = target(1, "a"), target(1, "b")
    routes = routed(a, ladder=rungs, rung_targets=(b,), **route)
    plan = asyncio.run(Preparer({}, memory_counters).prepare(plan_of(routes=routes)))
    found = begun(asked or ask(), plan.routes["small"])
    assert found is not None
    return found


def receipt() -> Receipt:
    return Receipt("r", 1.0, "g", "chat")


def step(climb: Climbing, number: int = 1, noted: Receipt | None = None) -> Step:
    rung = climb.ladder.rungs[number - 1]
    return derive(climb, rung, "floor", dialects()["openai_chat"], noted or receipt())


def sent(one: Step) -> Any:
    return msgspec.json.decode(one.ask.body)


def test_where_no_rung_is_for_it_there_is_nothing_to_climb() -> None:
    climb = climbing(Rung("a", max_output_tokens=5))
    assert begun(replace(ask(), counts=True), climb.own) is None
    assert begun(replace(ask(), endpoint="embeddings"), climb.own) is None
    assert begun(ask(), replace(climb.own, ladder=None)) is None


def test_each_rung_starts_from_the_request_as_it_came() -> None:
    first = Rung("a", system_prompt="First.", max_output_tokens=5)
    climb = climbing(first, Rung("b", history=History(keep_last=1)), system_prompt="Own.")
    one, two = step(climb, 1), step(climb, 2)
    assert [it["content"] for it in sent(one)["messages"]] == ["First.", "one", "a", "two"]
    assert one.ask.output_cap_tokens == 5
    assert [it["content"] for it in sent(two)["messages"]] == ["Own.", "two"]
    assert two.ask.output_cap_tokens is None
    assert bytes(climb.came.body) == msgspec.json.encode(BODY)


def test_the_lower_of_two_caps_holds() -> None:
    climb = climbing(Rung("a", max_output_tokens=50))
    climb.own = replace(climb.own, output_cap_tokens=20)
    assert step(climb).ask.output_cap_tokens == 20


def test_a_callers_own_ceiling_stands_where_it_is_lower() -> None:
    climb = climbing(Rung("a", max_output_tokens=50), asked=replace(ask(), output_ceiling_tokens=9))
    assert step(climb).ask.output_bound_tokens is None


def test_another_target_is_asked_alone() -> None:
    climb = climbing(Rung("a", target="b"))
    route = step(climb).route
    assert [it.target.target.name for it in route.pool] == ["b"]
    assert not route.fallbacks
    assert b"x-tidegate-target: b" in route.heads["b"]
    assert route.budget is climb.own.budget


def test_the_receipt_is_told_only_of_what_is_served() -> None:
    noted = receipt()
    noted.input_bytes = 7
    one = step(climbing(Rung("a", system_prompt="x")), noted=noted)
    assert noted.input_bytes == 7
    assert one.noted["input_bytes"] == len(one.ask.body)


def test_a_second_prompt_has_the_variables_that_it_knows(tmp_path: Path) -> None:
    """The first fails, and the second is rendered with what it has a place for."""
    short = version("v9", Turn("system", "Short: {{ product }}."), inputs=(Input("product"),))
    found = tagged(version("v3"), short, stable="v3", short="v9")
    wanted = RoutePrompt(NAME, tag="short")
    rung = Rung("short", when=When(("unavailable",)), target="b", prompt=wanted)

    answers = iter([(500, b"{}"), (200, msgspec.json.encode(completion()))])

    async def fails_once(exchange: Any) -> None:
        exchange.send(answer_bytes(*next(answers)))

    async def main() -> None:
        async with Upstream(fails_once) as up:
            a, b = at(up, "a"), at(up, "b")
            fields = {"ladder": (rung,), "rung_targets": (b,), "prompt": RoutePrompt(NAME)}
            routes = routed(a, retry=Retry(attempts=1), **fields)
            async with gateway(tmp_path, a, routes=routes, prompts={NAME: found}) as it:
                asked = {**BODY, "prompt": {"variables": {"product": "Tide", "tone": "loud"}}}
                reply = await it.ask(body=asked)
                assert reply.status == 200, reply.raw
                assert reply.headers["x-tidegate-prompt"] == f"{NAME}@v9"
                assert reply.headers["x-tidegate-rung"] == "short"
                first, second = (one.json["messages"][0]["content"] for one in up.exchanges[-2:])
                assert first == "You answer for Tide, in a loud tone."
                assert second == "Short: Tide."
                assert "prompt" not in up.exchanges[-1].json
                noted = await it.receipt()
                assert (noted.prompt_version, noted.rung) == ("v9", "short")

    run(main())


def test_what_has_no_messages_of_its_own_needs_a_prompt() -> None:
    bare = replace(ask(), bare=True)
    bare.members = {name: it for name, it in bare.members.items() if name != "messages"}
    bare.members["prompt"] = Raw(msgspec.json.encode(TIDE))
    with pytest.raises(Refusal, match="missing"):
        step(climbing(Rung("a", system_prompt="x"), asked=bare))
