"""A kept answer as its caller wants it: whole or streamed, in his wire, with what is told of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.cached import ASK, STREAMED, bearer, house, said
from tests.gateway.rig import run


@pytest.mark.parametrize("first", [ASK, STREAMED], ids=["whole", "streamed"])
def test_an_answer_is_given_again_in_either_form(tmp_path: Path, first: dict[str, Any]) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            made = await it.it.ask(body=first)
            again = await it.it.ask(body=first)
            whole = await it.it.ask(body=ASK)
            stream = await it.it.ask(body=STREAMED)
            assert it.asked == 1
            assert again.body == made.body, "the same form has the same bytes"
            assert said(whole.body) == "hello"
            assert whole.json["usage"]["completion_tokens"] == 5
            pieces = [msgspec.json.decode(event) for event in stream.events[:-1]]
            content = "".join(it["choices"][0]["delta"].get("content") or "" for it in pieces)
            assert (content, stream.events[-1]) == ("hello", b"[DONE]")
            assert not any(b'"usage":{' in event for event in stream.events), "nobody asked for it"
            told = {**STREAMED, "stream_options": {"include_usage": True}}
            usage = (await it.it.ask(body=told)).events[-2]
            assert msgspec.json.decode(usage)["usage"]["completion_tokens"] == 5
            assert made.headers["x-tidegate-cache"] == "miss"
            assert again.headers["x-tidegate-cache"] == "hit"
            assert again.headers["x-tidegate-target"] == "small"
            assert await it.outcomes(5) == ["miss", "hit", "hit", "hit", "hit"]

    run(main())


def test_a_hit_costs_nothing_and_says_what_it_saved(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            for _ in range(2):
                await it.it.ask(body=ASK)
            first, second = await it.it.receipt(1), await it.it.receipt(2)
            assert first.cost_nanousd == second.saved_nanousd == 21_000
            assert (second.cost_nanousd, second.attempts) == (0, [])
            assert (second.cache_tier, second.cache_from) == ("exact", first.id)
            assert second.saved_s == first.total_s
            assert second.cache_age_s is not None
            assert first.cache_lookup_s is not None
            assert second.input_tokens is None, "nobody has made a token of it"
            assert (second.finish_reason, second.model_served) == ("stop", "served")
            assert (
                it.it.vitals.status().counters[
                    "tidegate_cache_lookups_total|route=small|tier=exact|outcome=hit"
                ]
                == 1
            )

    run(main())


def test_headers_are_public_only_where_the_route_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, scope="route", public=True, stale_s=9.0, ttl_s=60.0) as it:
            made = await it.it.ask(body=ASK)
            told = await it.it.ask(body=ASK)
            assert "cache-control" not in made.headers, "nobody had judged it yet"
            said = "public, max-age=60, stale-while-revalidate=9"
            assert (told.headers["cache-control"], told.headers["age"]) == (said, "0")
            apart = bearer(it.it.key, **{"x-tidegate-cache-namespace": "mine"})
            for _ in range(2):
                told = await it.it.ask(body=ASK, headers=apart)
            assert told.headers["cache-control"] == "private, max-age=60"

    run(main())


def test_another_wire_is_answered_in_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        body = {
            "model": "small",
            "max_tokens": 9,
            "temperature": 0,
            "messages": [{"role": "user", "content": "hi"}],
        }
        async with house(tmp_path, deterministic="any") as it:
            made = await it.it.ask("/v1/messages", body)
            kept = await it.it.ask("/v1/messages", body)
            stream = await it.it.ask("/v1/messages", {**body, "stream": True})
            assert it.asked == 1
            assert made.body == kept.body
            assert kept.json["content"] == [{"type": "text", "text": "hello"}]
            assert b"event: message_start" in stream.body
            assert stream.body.rstrip().endswith(b'{"type":"message_stop"}')
            responses = {"model": "small", "input": "hi", "store": False}
            first = await it.it.ask("/v1/responses", responses)
            again = await it.it.ask("/v1/responses", responses)
            assert (again.headers["x-tidegate-cache"], first.body) == ("hit", again.body)
            stream = await it.it.ask("/v1/responses", {**responses, "stream": True})
            assert stream.headers["x-tidegate-cache"] == "hit"
            assert b"event: response.completed" in stream.body
            assert b'"hello"' in stream.body

    run(main())


def test_an_entry_that_is_no_answer_is_a_miss(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            await it.it.ask(body=ASK)
            held = it.it.world.cache.memory["small", "exact"]
            [key] = held._held
            kept = held._held[key].answer
            held.put(key, replace(kept, body=b"{"), 60.0)
            reply = await it.it.ask(body=STREAMED)
            assert (reply.status, reply.headers["x-tidegate-cache"]) == (200, "miss")

    run(main())
