"""Requests that were given a kept answer are captured as others are, and marked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.cached import ASK, STREAMED, either, house
from tests.gateway.rig import run
from tests.gateway.spools import Kept as KeptOf
from tests.gateway.upstream import Exchange, answer_bytes, completion

from tidegate.core.capture import Capture, Captured, Kept
from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.gateway import cache as cache_of
from tidegate.gateway.likeness import Likeness

MAIL = "anna@mail.example"


@contextlib.asynccontextmanager
async def kept_house(
    folder: Path, capture: Capture | None = None, script: Any = either, **exact: Any
) -> AsyncIterator[tuple[Any, KeptOf]]:
    """A route that keeps answers and captures."""
    async with house(folder, script, **exact) as it:
        routes = {
            name: replace(route, capture=capture or Capture(1.0))
            for name, route in it.plan.routes.items()
        }
        await it.obey(replace(it.plan, routes=routes))
        made = KeptOf(it.it)
        try:
            yield it, made
        finally:
            made.captures.close()
            made.hearing.spool.close()


@pytest.mark.parametrize("body", [ASK, STREAMED], ids=["whole", "streamed"])
def test_a_hit_is_captured_with_what_its_caller_got(tmp_path: Path, body: dict[str, Any]) -> None:
    async def main() -> None:
        async with kept_house(tmp_path) as (it, kept):
            first = await it.it.ask(body=ASK)
            again = await it.it.ask(body=body)
            live, hit = await kept.settled(2)
            assert (live.cache, live.cache_tier, live.is_hit) == ("miss", None, False)
            assert hit.receipt_id == again.headers["x-request-id"]
            assert (hit.answer, hit.cut, hit.shortened) == ("hello", False, False)
            assert (hit.cache, hit.cache_tier) == ("hit", "exact")
            assert hit.cache_from == first.headers["x-request-id"]
            assert (hit.cache_score, hit.kept) == (None, None)
            assert hit.is_hit and hit.is_kept_answer
            assert hit.conversation == live.conversation is not None
            assert (hit.route, hit.key_id, hit.messages) == (live.route, live.key_id, live.messages)

    run(main())


def test_who_waited_and_who_had_a_stale_one_are_captured_too(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await go.wait()
        exchange.send(answer_bytes(200, msgspec.json.encode(completion())))

    async def main() -> None:
        async with kept_house(tmp_path, None, script, ttl_s=0.05, stale_s=60.0) as (it, kept):
            both = [asyncio.create_task(it.it.ask(body=ASK)) for _ in range(2)]
            await asyncio.sleep(0.05)
            go.set()
            await asyncio.gather(*both)
            await asyncio.sleep(0.1)
            await it.it.ask(body=ASK)
            found = [one.cache for one in await kept.settled(3)]
            assert sorted(map(str, found)) == ["joined", "miss", "stale"]
            assert {one.answer for one in kept.captured()} == {"hello"}

    run(main())


def test_a_hit_is_redacted_drawn_and_bounded_as_any_other(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        body = completion()
        body["choices"][0]["message"]["content"] = f"Write to {MAIL}. " + "x" * 3000
        exchange.send(answer_bytes(200, msgspec.json.encode(body)))

    async def main() -> None:
        async with kept_house(tmp_path, Capture(1.0, max_bytes=1024), script) as (it, kept):
            for _ in range(2):
                await it.it.ask(body=ASK)
            _, hit = await kept.settled(2)
            assert hit.cache == "hit" and hit.shortened
            assert len(hit.answer) == 1024 and hit.answer.startswith("Write to [email]. x")
            assert hit.redacted["email"] == 1
        async with kept_house(tmp_path / "none", Capture(1e-9)) as (it, kept):
            for _ in range(2):
                await it.it.ask(body=ASK)
            await it.it.receipt(2)
            assert kept.captures.kept + kept.captures.dropped.total() == 0

    run(main())


def near(hit: bool, monkeypatch: pytest.MonkeyPatch, **answer: Any) -> None:
    """The tier that compares questions has found one beside each request."""
    whole = msgspec.json.encode(completion())
    values = {"receipt_id": "r-other", "made_at_s": 1.0, "fresh_s": 60.0, "target": "small"}
    kept = KeptAnswer(**(values | {"streamed": False, "body": whole} | answer))
    looked = cache_of._look

    def look(*given: Any) -> Any:
        caching = looked(*given)
        question = f"How do I reach {MAIL}?" if hit else "How are you?"
        caching.like = Likeness(question, Found(kept, 1.0, {}), 0.91, None if hit else "numbers")
        return caching

    monkeypatch.setattr(cache_of, "_look", look)


def test_what_would_have_been_given_is_beside_what_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near(False, monkeypatch)

    async def main() -> None:
        async with kept_house(tmp_path) as (it, kept):
            await it.it.ask(body={**ASK, "messages": [{"role": "user", "content": "How is it?"}]})
            [one] = await kept.settled(1)
            assert (one.cache, one.cache_tier, one.answer) == ("miss", "semantic", "hello")
            assert (one.cache_from, one.cache_score, one.cache_veto) == ("r-other", 0.91, "numbers")
            assert one.kept == Kept(
                "How are you?", completion()["choices"][0]["message"]["content"]
            )
            assert one.is_hit and not one.is_kept_answer

    run(main())


def test_of_a_kept_question_it_is_told_that_something_was_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near(True, monkeypatch)

    async def main() -> None:
        async with kept_house(tmp_path) as (it, kept):
            await it.it.ask(body=ASK)
            [one] = await kept.settled(1)
            assert one.kept is not None
            assert (one.kept.question, one.kept.taken_out) == ("How do I reach [email]?", True)

    run(main())


@pytest.mark.parametrize("answer", [{"body": b"no answer"}, {"target": "gone"}])
def test_what_cannot_be_read_any_more_is_not_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    near(False, monkeypatch, **answer)

    async def main() -> None:
        async with kept_house(tmp_path) as (it, kept):
            await it.it.ask(body=ASK)
            [one] = await kept.settled(1)
            assert isinstance(one, Captured)
            assert (one.kept, one.is_hit, one.answer) == (None, False, "hello")

    run(main())


def test_what_is_too_long_together_is_kept_without_what_is_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = completion()
    body["choices"][0]["message"]["content"] = "y" * 380_000
    near(False, monkeypatch, body=msgspec.json.encode(body))

    async def script(exchange: Exchange) -> None:
        exchange.send(answer_bytes(200, msgspec.json.encode(body)))

    async def main() -> None:
        capture = Capture(1.0, max_bytes=384 * 1024)
        async with kept_house(tmp_path, capture, script) as (it, kept):
            long = [{"role": "user", "content": "z" * 380_000}]
            await it.it.ask(body={**ASK, "messages": long})
            [one] = await kept.settled(1)
            assert (one.kept, len(one.answer)) == (None, 380_000)
            assert one.is_hit is False

    run(main())
