"""LoRA adapters at a gateway: sent each engine's way, on their model's places, metered apart; one
that an engine has not loaded is nobody's fault but the fleet's, and another target serves."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.fault_rig import Kept, kept
from tests.gateway.provider_wires import CHAT
from tests.gateway.rig import plan_of, target, until
from tests.gateway.upstream import answer_bytes

from tidegate.core.plan import Adapter, Queueing, Release, Replica, Route, Target
from tidegate.core.resilience import Retry
from tidegate.gateway.pick import Queues

ONCE = Retry(attempts=1)
_SERIAL = itertools.count()
BYTES = Path(__file__).parents[1] / "bytes"
# What each engine says of an adapter that it has not.
MISSING = {
    "vllm": (404, (BYTES / "vllm/no_model.json").read_bytes()),
    "sglang": (400, (BYTES / "sglang/no_adapter.json").read_bytes()),
    "tgi": (422, b'{"error":"Adapter law-v3 not found","error_type":"validation"}'),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept(tmp_path_factory.mktemp("adapters"), ("openai_compatible",)) as it:
        yield it


def pair(port: int, dialect: str, model: str, **fields: Any) -> tuple[Target, Target]:
    """A model's target, and that of an adapter of it. Each test's have names of their own."""
    name = f"{dialect}-{next(_SERIAL)}"
    base = target(port, f"{name}-base", dialect=dialect, model="meta/llama", **fields)
    adapter = Adapter("2" if dialect == "llama_cpp" else "law-v3", base.name, 0.5)
    return base, replace(base, name=f"{name}-law", model=model, adapter=adapter)


def route(one: Target, **more: Any) -> Route:
    return Route(one.name, Release(f"{one.name}@1", one), retry=ONCE, **more)


async def ask(running: Kept, path: str, body: dict[str, Any], steps: list[bytes]) -> Any:
    await running.rig.act(steps)
    reply = await running.rig.it.ask(path, body)
    return reply, await running.rig.settled()


@pytest.mark.parametrize(
    ("dialect", "model", "more"),
    [
        ("vllm", "law-v3", {}),
        ("sglang", "meta/llama:law-v3", {}),
        ("tgi", "law-v3", {}),
        ("llama_cpp", "meta/llama", {"lora": [{"id": 2, "scale": 0.5}]}),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_each_engine_is_told_in_its_own_way(
    running: Kept, dialect: str, model: str, more: dict[str, Any], path: str
) -> None:
    async def main() -> None:
        rig = running.rig
        base, law = pair(rig.up.port, dialect, model)
        await rig.add(route(base))
        await rig.add(route(law))
        said = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
        for one, sent_model, members in ((law, model, more), (base, "meta/llama", {})):
            answered = [CHAT.answered()]
            reply, receipt = await ask(running, path, {"model": one.name, **said}, answered)
            assert reply.status == 200
            sent = rig.up.exchanges[-1].json
            assert sent["model"] == sent_model
            assert {name: sent.get(name) for name in more} == {n: members.get(n) for n in more}
            assert (receipt.target, receipt.model_wanted) == (one.name, sent_model)
            assert receipt.cost_nanousd

    running.run(main())


@pytest.mark.parametrize("dialect", MISSING)
@pytest.mark.parametrize("streamed", [False, True])
def test_an_adapter_that_is_not_loaded_is_no_fault_of_the_caller_s(
    running: Kept, dialect: str, streamed: bool
) -> None:
    async def main() -> None:
        rig = running.rig
        _, law = pair(rig.up.port, dialect, "law-v3")
        alone = route(law)
        await rig.add(alone)
        body = {"model": alone.name, "messages": [], "stream": streamed}
        missing = [answer_bytes(*MISSING[dialect])]
        reply, receipt = await ask(running, "/v1/chat/completions", body, missing)
        assert (reply.status, receipt.error_code) == (502, "upstream_error")
        assert reply.json["error"]["message"] == "the engine has not loaded the adapter 'law-v3'"
        assert (receipt.error_fault, receipt.cost_nanousd) == ("provider", 0)

    running.run(main())


@pytest.mark.parametrize("dialect", MISSING)
def test_the_model_itself_serves_in_its_place(running: Kept, dialect: str) -> None:
    async def main() -> None:
        rig = running.rig
        base, law = pair(rig.up.port, dialect, "law-v3")
        name = f"{law.name}-or-base"
        one = replace(route(law, fallbacks=(("unavailable", (base,)),)), name=name)
        await rig.add(one)
        status, missing = MISSING[dialect]

        async def script(exchange: Any) -> None:
            lost = exchange.json["model"] == "law-v3"
            exchange.send(answer_bytes(status, missing) if lost else CHAT.answered())

        rig.up.script = script
        reply = await rig.it.ask("/v1/chat/completions", {"model": name, "messages": []})
        receipt = await rig.settled()
        assert reply.status == 200 and receipt.target == base.name
        assert [it.target for it in receipt.attempts] == [law.name, base.name]

    running.run(main())


def test_a_rejection_that_speaks_of_no_adapter_stays_the_caller_s(running: Kept) -> None:
    async def main() -> None:
        rig = running.rig
        _, law = pair(rig.up.port, "sglang", "meta/llama:law-v3")
        await rig.add(route(law))
        wrong = [answer_bytes(400, (BYTES / "sglang/error.json").read_bytes())]
        body = {"model": law.name, "messages": []}
        reply, receipt = await ask(running, "/v1/chat/completions", body, wrong)
        assert (reply.status, receipt.error_fault) == (400, "caller")

    running.run(main())


def test_a_model_and_its_adapters_share_its_places(running: Kept) -> None:
    async def main() -> None:
        rig, world = running.rig, running.rig.it.world
        one_place = Queueing(max_in_flight=1)
        base, law = pair(rig.up.port, "sim", "law-v3", queueing=one_place)
        await rig.add(route(law))  # nobody asks for the model itself
        assert world.queues.at(law) is world.queues.at(base)
        assert base.name in dict(world.queues) and law.name not in dict(world.queues)
        await rig.add(route(base))
        await rig.act(["hang"])
        first = asyncio.ensure_future(
            rig.it.ask("/v1/chat/completions", {"model": law.name, "messages": []})
        )
        await rig.hanging.wait()
        second = asyncio.ensure_future(
            rig.it.ask("/v1/chat/completions", {"model": base.name, "messages": []})
        )
        await until(lambda: world.queues.at(base).line.count == 1)
        await rig.act([CHAT.answered()])
        rig.up.exchanges[-1].send(CHAT.answered())
        assert [(await it).status for it in (first, second)] == [200, 200]
        await rig.settled()
        origins = {(it.host, it.port) for it in (law.replicas[0], base.replicas[0])}
        assert len(origins) == 1 and isinstance(law.replicas[0], Replica)

    running.run(main())


def test_levers_on_places_that_are_shared() -> None:
    """A cap on one holds for all; a line is closed where nobody else stands in it."""
    base, law = pair(9, "vllm", "law-v3", queueing=Queueing(max_in_flight=8))
    queues = Queues()
    queues.obey(plan_of(base, law))
    assert queues.at(base).limit.limit == 8
    queues.cap({law.name: 2.0})
    assert queues.at(base).limit.limit == queues.at(law).limit.limit == 2
    queues.cap({base.name: 1.0, law.name: 2.0})
    assert queues.at(law).limit.limit == 1
    queues.cap({})
    closed: list[int] = []
    queues.at(base).entrance.shed_from = lambda rank, _: closed.append(rank)  # type: ignore[method-assign]
    queues.close([base.name])
    queues.close([law.name])
    assert closed == []
    queues.close([base.name, law.name])
    assert closed == [0]
