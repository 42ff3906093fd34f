"""Whose kept answer to another wording it is: nobody else's, and of nothing else."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.nearby import Index, Words, near, nearby
from tests.gateway.rig import run
from tests.gateway.worded import ONE, OTHER, POLITE, asking

from tidegate.core.cache import ExactCache
from tidegate.core.learnt import made_with
from tidegate.text.veto import VERSION


def test_what_was_learnt_with_another_encoder_or_veto_gives_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        ours = made_with(Words.version, VERSION)
        for number, learnt_with in enumerate((ours, f"{ours}0", made_with("words-2", VERSION))):
            async with nearby(tmp_path / str(number), near(learnt_with=learnt_with)) as it:
                await it.it.ask(body=asking(ONE))
                await it.it.ask(body=asking(POLITE))
                assert await it.outcomes(2) == ["miss", "hit" if learnt_with == ours else "miss"]
                assert it.lookups() == {"none": 1, "hit" if learnt_with == ours else "shadow": 1}
                off = list(it.it.world.cache.semantic.off())
                assert off == ([] if learnt_with == ours else [("small", "outdated")])

    run(main())


def test_who_wants_exactly_his_own_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(ExactCache())) as it:
            await it.it.ask(body=asking(ONE))
            for words in (
                {"x-tidegate-cache": "exact-only"},
                {"cache-control": "no-cache"},
                {"cache-control": "max-age=0"},
                {"x-tidegate-cache-namespace": "mine"},
                {"cache-control": "no-store", "x-tidegate-cache-ttl": "0"},
            ):
                headers = {"authorization": f"Bearer {it.it.key}", **words}
                reply = await it.it.ask(body=asking(POLITE), headers=headers)
                assert reply.headers["x-tidegate-cache"] == "miss", words

    run(main())


def test_no_tenant_has_another_s_whatever_the_index_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(), index=Index(lies=True)) as it:
            other = it.it.store.add(name="b", team="team-b")
            await it.it.ask(body=asking(ONE))
            for text in (ONE, POLITE):
                headers = {"authorization": f"Bearer {other}"}
                await it.it.ask(body=asking(text), headers=headers)
            first, _, third = it.it.receipts()
            assert await it.outcomes(3) == ["miss", "miss", "hit"]
            assert third.cache_from != first.id
            await it.it.ask(body=asking(POLITE, seed=2))
            assert await it.outcomes(4) == ["miss", "miss", "hit", "miss"]
            assert it.it.receipts()[3].cache_score is None

    run(main())


def test_what_has_gone_is_forgotten_when_it_is_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            await it.it.ask(body=asking(ONE))
            it.it.world.cache.memory["small", "semantic"].clear()
            await it.it.ask(body=asking(POLITE))
            assert await it.outcomes(2) == ["miss", "miss"]
            assert [question for _, question in it.index.held.values()] == [POLITE]

    run(main())


def test_another_model_behind_the_name_is_another_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            await it.it.ask(body=asking(ONE))
            it.it.world.cache.served["small"] = "newer"
            await it.it.ask(body=asking(POLITE))
            assert await it.outcomes(2) == ["miss", "miss"]

    run(main())


def test_another_release_or_encoder_has_answers_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            await it.it.ask(body=asking(ONE))
            routes = {
                name: replace(route, release=replace(route.release, name="small@2"))
                for name, route in it.plan.routes.items()
            }
            await it.obey(replace(it.plan, routes=routes))
            await it.it.ask(body=asking(POLITE))
            await it.obey(it.plan)
            it.encoder.version = "words-2"
            await it.it.ask(body=asking(POLITE))
            it.encoder.version = "words-1"
            await it.it.ask(body=asking(POLITE))
            assert await it.outcomes(4) == ["miss", "miss", "miss", "hit"]

    run(main())


@pytest.mark.parametrize(
    "content",
    ["", "?!", "\x00\x07", "x" * 100_000, "hi\u200bthere", [{"type": "image_url"}], "\U0001f600"],
    ids=["empty", "marks", "control", "long", "unseen", "image", "emoji"],
)
def test_what_cannot_be_compared_is_asked(tmp_path: Path, content: Any) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            for _ in range(2):
                assert (await it.it.ask(body=asking(content))).status == 200
            assert await it.outcomes(2) == ["bypass"] * 2
            assert it.lookups() == {"incomparable": 2}
            assert it.encoder.asked == []

    run(main())


def test_lone_surrogates_are_harmless(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            body = b'{"model":"small","temperature":0,"seed":1,"messages":[{"role":"user",'
            reply = await it.it.ask(body=body + b'"content":"a \\ud800 b"}]}')
            assert reply.status in (200, 400)
            assert it.encoder.asked == []

    run(main())


@pytest.mark.parametrize(
    ("least", "tier"), [("0.9", "semantic"), ("0.95", None), ("0.1", "semantic")]
)
def test_a_caller_may_ask_for_more_likeness_and_not_for_less(
    tmp_path: Path, least: str, tier: str | None
) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            await it.it.ask(body=asking(ONE))
            headers = {"authorization": f"Bearer {it.it.key}", "x-bf-cache-threshold": least}
            reply = await it.it.ask(body=asking(POLITE), headers=headers)
            assert reply.headers.get("x-tidegate-cache-tier") == tier
            other = await it.it.ask(body=asking(OTHER), headers=headers)
            assert other.headers["x-tidegate-cache"] == "miss"

    run(main())
