"""What a semantic tier does when its encoder, its store or the exact tier beside it is not there,
slow or broken: requests go on, and nobody has what is another's."""

import asyncio
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.cached import either
from tests.gateway.nearby import DIMENSIONS, Words, giving, near, nearby, vector_of
from tests.gateway.rig import run
from tests.gateway.worded import ONE, OTHER, POLITE, asking

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.cache_labels import BEGINNING
from tidegate.core.encoding import EncoderUnavailable
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.overlay import put_in_force
from tidegate.stores.memory_answers import MemoryAnswers


class Failing(Words):
    """As told: raises, gives what is no vector, or has nothing to say."""

    def __init__(self, how: str) -> None:
        super().__init__(fast=False)
        self.how = how

    def encode(self, texts: Any) -> Any:
        self.asked += texts
        if self.how == "raises":
            raise RuntimeError(texts[0])
        broken = {"short": b"abc", "nan": NAN, "long": vector_of("a") * 2, "unread": None}
        return [broken.get(self.how, vector_of(texts[0]))]


NAN = struct.pack(f"<{DIMENSIONS}f", *[float("nan")] * DIMENSIONS)


@pytest.mark.parametrize("how", ["raises", "short", "nan", "long"])
def test_a_broken_encoder_is_off_and_requests_go_on(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        encoder = Failing(how)
        async with nearby(tmp_path, near(ExactCache()), encoder=encoder) as it:
            for number in range(6):
                reply = await it.it.ask(body=asking(f"the secret question of number {number}"))
                assert (reply.status, reply.headers["x-tidegate-cache"]) == (200, "miss")
            assert await it.outcomes(6) == ["miss"] * 6
            assert len(encoder.asked) < 6, "after three in turn it is left alone"
            status = it.it.vitals.status()
            off = "tidegate_cache_semantic_off|route=small|reason=broken"
            assert status.gauges[off] == 1.0
            assert it.lookups()["off"] >= 2
            encoder.how = ""
            it.it.world.cache.semantic.encodings["minilm"]._off_until_s = 0.0
            for _ in range(2):
                await it.it.ask(body=asking("a"))
            assert encoder.asked[-1] == "a", "it is tried again after a while"
        said = [it.getMessage() for it in caplog.records if "encoder" in it.getMessage()]
        assert len(said) == 1
        assert "secret" not in said[0]

    run(main())


def test_a_question_that_an_encoder_does_not_read_is_not_its_failure(tmp_path: Path) -> None:
    async def main() -> None:
        encoder = Failing("unread")
        async with nearby(tmp_path, near(), encoder=encoder) as it:
            for number in range(6):
                await it.it.ask(body=asking(f"question {number}"))
            assert await it.outcomes(6) == ["miss"] * 6
            assert it.lookups() == {"not_encoded": 6}
            assert it.index.held == {}

    run(main())


def test_an_encoder_that_is_missing_is_said_once_and_requests_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(name: str) -> Any:
        raise EncoderUnavailable(f"{name} is missing: pip install 'tidegate[semantic]'")

    async def main() -> None:
        async with nearby(tmp_path, near(ExactCache())) as it:
            it.it.world.cache.semantic.load = missing
            await it.obey(giving(it.plan, near(encoder="other")))
            await it.ready()
            for _ in range(3):
                assert (await it.it.ask(body=asking(ONE))).status == 200
            assert await it.outcomes(3) == ["bypass"] * 3
            off = "tidegate_cache_semantic_off|route=small|reason=unavailable"
            assert it.it.vitals.status().gauges[off] == 1.0
        said = [it.getMessage() for it in caplog.records if "encoder" in it.getMessage()]
        assert len(said) == 1
        assert "pip install 'tidegate[semantic]'" in said[0]

    run(main())


@pytest.mark.parametrize("why", ["lever", "sampling"])
def test_who_waits_for_the_same_is_of_the_tier_s_own_scope(tmp_path: Path, why: str) -> None:
    """Also where the exact tier, which is not for these requests, would share with everybody."""
    deterministic = "any" if why == "sampling" else "required"
    cache = near(ExactCache(scope="route"), deterministic=deterministic)
    more = {"seed": None} if why == "sampling" else {}
    free = asyncio.Event()

    async def late(exchange: Any) -> None:
        await free.wait()
        await either(exchange)

    async def main() -> None:
        async with nearby(tmp_path, cache, late) as it:
            world, base = it.it.world, it.it.world.plan
            assert base is not None
            if why == "lever":
                put_in_force(world, base, {"exact_cache_off": {"small": 1.0}})
            other = {"authorization": f"Bearer {it.it.store.add(name='b', team='team-b')}"}
            asks = [
                asyncio.ensure_future(it.it.ask(body=asking(ONE, **more), headers=headers))
                for headers in (None, None, other)
            ]
            async with asyncio.timeout(5):
                while it.asked < 2:  # noqa: ASYNC110 - nothing announces it
                    await asyncio.sleep(0.01)
            free.set()
            await asyncio.gather(*asks)
            assert it.asked == 2, "one of each tenant"
            assert sorted(await it.outcomes(3)) == ["joined", "miss", "miss"]

    run(main())


def test_a_plan_that_ends_an_encoder_ends_none_of_its_questions(tmp_path: Path) -> None:
    class Slow(Words):
        def encode(self, texts: Any) -> Any:
            time.sleep(0.04)
            return super().encode(texts)

    async def main() -> None:
        async with nearby(tmp_path, near(), encoder=Slow(fast=False)) as it:
            asks = [asyncio.ensure_future(it.it.ask(body=asking(text))) for text in (ONE, OTHER)]
            encoding = it.it.world.cache.semantic.encodings["minilm"]
            while not (encoding._first or it.encoder.asked):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await it.obey(giving(it.plan, RouteCache()))
            assert [reply.status for reply in await asyncio.gather(*asks)] == [200, 200]

    run(main())


class Store:
    """A shared store of answers, which is slow now and then: then it says nothing."""

    def __init__(self) -> None:
        self.held = MemoryAnswers(1 << 20)
        self.open, self.slow, self.errors = True, False, 0
        self.invalidations = AnswerCache().invalidations

    def of(self, *_: Any) -> Any:
        return self

    async def get(self, key: bytes) -> Any:
        self.errors += self.slow
        return None if self.slow else await self.held.get(key)

    def put(self, *what: Any) -> None:
        self.held.put(*what)


@pytest.mark.parametrize("how", ["slow", "away", "gone"])
def test_a_question_is_not_forgotten_because_its_store_is_slow(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(store="shared")) as it:
            store: Any = Store()
            it.it.world.cache.mark = lambda _: BEGINNING  # type: ignore[method-assign]
            it.it.world.cache.shared = store
            await it.it.ask(body=asking(ONE))
            [(_, key)] = it.index.held
            store.slow, store.open = how != "gone", how != "away"
            if how == "gone":
                await store.held.remove(key)
            headers = {"authorization": f"Bearer {it.it.key}", "cache-control": "no-store"}
            await it.it.ask(body=asking(POLITE), headers=headers)
            assert await it.outcomes(2) == ["miss", "miss"]
            assert [at for _, at in it.index.held] == ([] if how == "gone" else [key])
            it.it.world.cache.shared = None

    run(main())
