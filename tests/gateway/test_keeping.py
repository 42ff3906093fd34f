"""Only what is whole, valid and no refusal is kept for others."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.cached import ASK, STREAMED, either, house
from tests.gateway.rig import run, target
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Upstream,
    answer_bytes,
    completion,
    delta,
    whole,
)

from tidegate.core.plan import Contract


def saying(**message: Any) -> dict[str, Any]:
    answer = completion()
    choice = answer["choices"][0]
    finish = message.pop("finish", "stop")
    choice["message"] = {**choice["message"], **message}
    choice["finish_reason"] = finish
    return answer


CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (saying(), None),
        (saying(content=None, tool_calls=CALLS, finish="tool_calls"), "calls"),
        (saying(content="hm", tool_calls=CALLS), "calls"),
        (saying(finish="length"), "unfinished"),
        (saying(finish="content_filter"), "unfinished"),
        (saying(content=None, refusal="No."), "refused"),
        (saying(content="I'm sorry, but I can't help with that."), "refused"),
        (saying(content=""), "invalid"),
        ({**completion(), "choices": []}, "failed"),
        (saying(content="x" * 2000), "too_large"),
    ],
    ids=lambda it: str(it)[:40],
)
def test_what_is_not_good_for_others_is_not_kept(
    tmp_path: Path, answer: dict[str, Any], why: str | None
) -> None:
    async def main() -> None:
        async with house(tmp_path, whole(answer), max_entry_bytes=1024) as it:
            for _ in range(2):
                await it.it.ask(body=ASK)
            found = await it.outcomes(2)
            cache = it.it.world.cache
            if why is None:
                assert (found, cache.kept["small"]) == (["miss", "hit"], 1)
            else:
                assert found == ["miss", "miss"]
                assert cache.unkept == {("small", why): 2}
            assert len(cache.flights) == 0

    run(main())


def test_several_choices_are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    async def main() -> None:
        answer = completion()
        async with house(tmp_path, whole(answer)) as it:
            await it.it.ask(body={**ASK, "n": 2})
            assert it.it.world.cache.unkept == {("small", "unfinished"): 1}
            answer["choices"].append({**answer["choices"][0], "index": 1})
            it.up.script = whole(answer)
            for _ in range(2):
                await it.it.ask(body={**ASK, "n": 2})
            assert await it.outcomes(3) == ["miss", "miss", "hit"]
            refusing = saying(content="I'm sorry, but I can't help with that.")
            answer["choices"][0] = refusing["choices"][0]
            it.up.script = whole(answer)
            await it.it.ask(body={**ASK, "n": 2, "seed": 2})
            assert it.it.world.cache.unkept["small", "refused"] == 1

    run(main())


def test_choices_that_come_interleaved_are_whole_in_either_form(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for text, index in (("a", 1), ("b", 0), ("c", 1)):
            exchange.event(delta({"content": text}, None, index))
        exchange.event(delta({}, "stop", 1))
        exchange.end()

    async def main() -> None:
        async with house(tmp_path, script) as it:
            two = {**ASK, "n": 2}
            streams = [await it.it.ask(body={**two, "stream": True}) for _ in range(2)]
            whole = await it.it.ask(body=two)
            assert streams[0].body == streams[1].body
            said = [choice["message"]["content"] for choice in whole.json["choices"]]
            assert said == ["b", "ac"]
            assert await it.outcomes(3) == ["miss", "hit", "hit"]

    run(main())


def test_a_stream_that_breaks_off_is_not_kept(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.say("hel")
        exchange.transport.close()

    async def main() -> None:
        async with house(tmp_path, script) as it:
            await it.it.ask(body=STREAMED)
            it.up.script = either
            assert (await it.it.ask(body=STREAMED)).events[-1] == b"[DONE]"
            assert await it.outcomes(2) == ["miss", "miss"]
            assert it.it.world.cache.unkept == {("small", "failed"): 1}

    run(main())


def test_what_breaks_its_contract_is_not_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            routes = {
                name: replace(route, contract=Contract(json=True))
                for name, route in it.plan.routes.items()
            }
            await it.obey(replace(it.plan, routes=routes))
            await it.it.ask(body=ASK)
            assert it.it.world.cache.unkept == {("small", "invalid"): 1}
            it.up.script = whole(saying(content='{"a":1}'))
            for _ in range(2):
                await it.it.ask(body=ASK)
            assert await it.outcomes(3) == ["miss", "miss", "hit"]
            assert (await it.it.receipt(3)).validity == "valid"

    run(main())


def test_another_target_s_answer_is_not_kept_as_the_release_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as second, house(tmp_path) as it:
            spare = target(second.port, "spare")
            routes = {
                name: replace(route, fallbacks=(("unavailable", (spare,)),))
                for name, route in it.plan.routes.items()
            }
            await it.obey(replace(it.plan, routes=routes))

            async def down(exchange: Exchange) -> None:
                exchange.send(answer_bytes(503, msgspec.json.encode({})))

            it.up.script = down
            assert (await it.it.ask(body=ASK)).status == 200
            assert it.it.world.cache.unkept == {("small", "fallback"): 1}
            it.up.script = either
            for _ in range(2):
                await it.it.ask(body=ASK)
            assert await it.outcomes(3) == ["miss", "miss", "hit"]

    run(main())
