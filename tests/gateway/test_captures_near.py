"""What the semantic tier gives, or would have given, is captured for judges."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.nearby import Nearby, near, nearby
from tests.gateway.rig import run
from tests.gateway.spools import Kept
from tests.gateway.worded import NEAR, ONE, OTHER, POLITE, asking

from tidegate.core import capture
from tidegate.core.cache import RouteCache
from tidegate.core.capture import Capture


@contextlib.asynccontextmanager
async def captured(folder: Path, cache: RouteCache) -> AsyncIterator[tuple[Nearby, Kept]]:
    async with nearby(folder, cache) as it:
        routes = {
            name: replace(route, capture=Capture(1.0)) for name, route in it.plan.routes.items()
        }
        await it.obey(replace(it.plan, routes=routes))
        kept = Kept(it.it)
        try:
            yield it, kept
        finally:
            kept.captures.close()
            kept.hearing.spool.close()


@pytest.mark.parametrize(
    ("cache", "is_given"),
    [
        (near(), True),
        (near(mode="shadow"), False),
        (near(threshold=None), False),
        (near(threshold=0.99), False),
    ],
    ids=["given", "shadow", "nothing-learnt", "below-the-threshold"],
)
def test_another_wording_is_captured_with_the_question_that_was_kept(
    tmp_path: Path, cache: RouteCache, is_given: bool
) -> None:
    async def main() -> None:
        async with captured(tmp_path, cache) as (it, kept):
            first = await it.it.ask(body=asking(ONE))
            await it.it.ask(body=asking(POLITE))
            await it.it.ask(body=asking(OTHER))
            made, again, other = await kept.settled(3)
            assert (made.is_hit, made.kept, other.is_hit, other.kept) == (False, None, False, None)
            assert again.is_hit and again.is_kept_answer is is_given
            assert (again.cache_tier, again.cache_veto) == ("semantic", None)
            assert again.cache_score == pytest.approx(NEAR)
            assert again.cache_from == first.headers["x-request-id"]
            assert again.kept == capture.Kept(ONE, None if is_given else made.answer)
            assert POLITE in again.messages and again.answer

    run(main())


def test_what_a_veto_holds_back_is_captured_with_the_veto(tmp_path: Path) -> None:
    async def main() -> None:
        async with captured(tmp_path, near()) as (it, kept):
            await it.it.ask(body=asking("How do I pay for plan 10 here?"))
            await it.it.ask(body=asking("How do I pay for plan 20 here?"))
            _, one = await kept.settled(2)
            assert (one.cache, one.cache_veto, one.is_hit) == ("miss", "numbers", True)
            assert one.kept is not None and "plan 10" in one.kept.question

    run(main())


def test_the_same_wording_in_shadow_is_one_that_would_have_been_given(tmp_path: Path) -> None:
    async def main() -> None:
        async with captured(tmp_path, near(mode="shadow")) as (it, kept):
            for _ in range(2):
                await it.it.ask(body=asking(ONE))
            _, one = await kept.settled(2)
            assert (one.cache, one.cache_score) == ("miss", 1.0)
            assert one.kept is not None and one.kept.question == ONE and one.kept.answer

    run(main())
