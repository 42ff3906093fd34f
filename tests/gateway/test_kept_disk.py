"""What a gateway had kept comes back after a restart, unless it was invalidated meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import plan_of, run, target, until
from tests.stores.vectors_made import vector

from tidegate.core import clock
from tidegate.core.cache import ExactCache, RouteCache, SemanticCache
from tidegate.core.cache_labels import EVERYTHING, Labels, Selector
from tidegate.core.encoding import Encoder, EncoderUnavailable
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.plan import Plan
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.vitals import _note_vectors
from tidegate.stores.kept_file import KeptFile, KeptRow

A, B = (target(1, name) for name in "ab")
# Asked for after all that this process had heard by then.
ASKED = 50
EXACT = ExactCache(store="disk")
SEMANTIC = SemanticCache(store="disk")


def no_encoder(name: str) -> Encoder:
    raise EncoderUnavailable(name)


def kept(*targets: object, exact: ExactCache = EXACT) -> Plan:
    plan = plan_of(*targets)  # type: ignore[arg-type]
    cache = RouteCache(exact, SEMANTIC)
    return replace(plan, routes={n: replace(it, cache=cache) for n, it in plan.routes.items()})


def answer(tag: str) -> KeptAnswer:
    return KeptAnswer(
        "r", clock.wall_s(), 60.0, "a", False, b"{}", labels=Labels(tags=(tag,), number=ASKED)
    )


@contextlib.asynccontextmanager
async def process(
    path: Path, plan: Plan, *told: tuple[str, Selector]
) -> AsyncIterator[AnswerCache]:
    """One life of a gateway, that has heard from control what was invalidated lately."""
    cache = AnswerCache()
    cache.semantic.load = no_encoder
    cache.keep_in(path)
    cache.obey(plan)
    cache.invalidations.forget_all()
    for name, selector in told:
        cache.invalidate(name, selector)
    try:
        yield cache
    finally:
        await cache.stop()


def put(cache: AnswerCache, plan: Plan, *tags: str, of: str = "a") -> None:
    for tag in tags:
        cache.of(plan.routes[of], "exact", EXACT).put(tag.encode(), answer(tag), 60.0)


async def there(cache: AnswerCache, plan: Plan, *tags: str) -> list[str]:
    store = cache.of(plan.routes["a"], "exact", EXACT)
    return [tag for tag in tags if await store.get(tag.encode()) is not None]


async def all_read(cache: AnswerCache) -> None:
    assert cache.disk is not None
    async with asyncio.timeout(20.0):
        await cache.disk._all_read.wait()


async def read(cache: AnswerCache, count: int) -> None:
    disk = cache.disk
    assert disk is not None
    disk.caught_up()
    await until(lambda: disk.restored >= count)


def test_answers_and_vectors_come_back_once_control_has_told(tmp_path: Path) -> None:
    async def main() -> None:
        path, plan = tmp_path / "k.db", kept(A, B)
        async with process(path, plan) as cache:
            put(cache, plan, "x", "y")
            cache.vectors.of(plan.routes["a"], SEMANTIC).put(b"p", b"x", vector(1), "q", 60.0)
        async with process(path, plan, ("while away", Selector(tag="y"))) as cache:
            await asyncio.sleep(0.1)
            assert await there(cache, plan, "x", "y") == []
            await read(cache, 3)
            assert await there(cache, plan, "x", "y") == ["x"]
            assert cache.memory["a", "exact"].size > 0
            gauges, counters = dict[str, float](), dict[str, float]()
            _note_vectors(cache.vectors, gauges, counters)
            assert gauges["tidegate_cache_vectors|route=a"] == 1.0
            assert counters["tidegate_cache_file_restored_total"] == 3.0
            assert counters["tidegate_cache_file_lost_total"] == 0.0
            found = await cache.vectors.of(plan.routes["a"], SEMANTIC).nearest(b"p", vector(1), 5)
            assert [it.key for it in found] == [b"x"]
            cache.invalidate("now", Selector(tag="x"))
            assert await there(cache, plan, "x") == []

    run(main())


def test_what_was_kept_after_an_invalidation_outlives_hearing_of_it_again(tmp_path: Path) -> None:
    async def main() -> None:
        path, plan = tmp_path / "k.db", kept(A)
        once = ("once", Selector(tag="x"))
        async with process(path, plan) as cache:
            put(cache, plan, "x")
            cache.caught_up()
            cache.invalidate(*once)
            await all_read(cache)
            await cache.invalidations.swept()
            await asyncio.sleep(0.05)
            late = replace(answer("x"), labels=Labels(tags=("x",), number=99))
            cache.of(plan.routes["a"], "exact", EXACT).put(b"after", late, 60.0)
        async with process(path, plan, once) as cache:
            await read(cache, 1)
            assert await there(cache, plan, "x", "after") == ["after"]

    run(main())


@pytest.mark.parametrize("what", ["everything", "missed", "too many", "no route", "in memory"])
def test_what_may_have_been_missed_or_is_not_kept_so_any_more_does_not_come_back(
    what: str, tmp_path: Path
) -> None:
    async def main() -> None:
        path, plan, after = tmp_path / "k.db", kept(A), kept(A)
        async with process(path, plan) as cache:
            put(cache, plan, "x")
            assert await there(cache, plan, "x") == ["x"]
        told = [("all", EVERYTHING)] if what == "everything" else []
        if what == "too many":
            told = [(f"i{number}", Selector(tag=f"t{number}")) for number in range(1000)]
        if what == "no route":
            after = kept(B)
        if what == "in memory":
            after = kept(A, exact=ExactCache())
        async with process(path, after, *told) as cache:
            assert cache.disk is not None
            cache.caught_up()
            if what == "missed":
                cache.forget_all()
            await all_read(cache)
        async with process(path, plan) as cache:  # what was told is noted, or nothing is left
            assert cache.disk is not None
            cache.caught_up()
            await all_read(cache)
            assert await there(cache, plan, "x") == []

    run(main())


def test_what_is_deleted_before_it_was_read_does_not_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        path, plan = tmp_path / "k.db", kept(A)
        async with process(path, plan) as cache:
            put(cache, plan, "x", "y")
        async with process(path, plan) as cache:
            store = cache.of(plan.routes["a"], "exact", EXACT)
            await store.remove(b"x")
            await read(cache, 1)
            await all_read(cache)
            assert await there(cache, plan, "x", "y") == ["y"]
        async with process(path, plan) as cache:
            disk = cache.disk
            assert disk is not None
            assert disk.file is not None
            restoring = disk._restore

            async def late(file: KeptFile, rows: list[KeptRow]) -> None:
                await cache.of(plan.routes["a"], "exact", EXACT).remove(b"y")
                await restoring(file, rows)

            monkey = pytest.MonkeyPatch()
            monkey.setattr(disk, "_restore", late)
            disk.caught_up()
            await all_read(cache)
            monkey.undo()
            assert await there(cache, plan, "y") == []

    run(main())


def test_a_question_whose_answer_is_gone_does_not_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        path, plan = tmp_path / "k.db", kept(A)
        async with process(path, plan) as cache:
            answers = cache.of(plan.routes["a"], "semantic", SEMANTIC)
            vectors = cache.vectors.of(plan.routes["a"], SEMANTIC)
            for tag in ("x", "y"):
                answers.put(tag.encode(), answer(tag), 60.0)
                vectors.put(b"p", tag.encode(), vector(1), f"is it {tag}?", 60.0)
        async with process(path, plan, ("while away", Selector(tag="x"))) as cache:
            await read(cache, 4)
            await all_read(cache)
            found = await cache.vectors.of(plan.routes["a"], SEMANTIC).nearest(b"p", vector(1), 5)
            assert [it.question for it in found] == ["is it y?"]
            assert cache.disk is not None
            for number in range(1500):
                cache.invalidate(f"i{number}", Selector(tag="other"))
            assert len(cache.disk._told) == 1  # they are known, and not kept for ever

    run(main())


def test_a_route_that_keeps_nothing_on_disk_has_no_file(tmp_path: Path) -> None:
    async def main() -> None:
        path, plan = tmp_path / "k.db", plan_of(A)
        async with process(path, plan) as cache:
            cache.caught_up()
            cache.forget_all()
            assert cache.disk is not None
            assert cache.disk.file is None
        assert not path.exists()

    run(main())
