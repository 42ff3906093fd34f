"""Every tier obeys, and a question goes from the index with its answer."""

from pathlib import Path
from typing import Any

from tests.gateway.embedded import Embedders
from tests.gateway.embedded import house as embedding
from tests.gateway.nearby import near, nearby, vector_of
from tests.gateway.rig import run
from tests.gateway.worded import ONE, POLITE, asking

from tidegate.core.cache_labels import EVERYTHING, Selector
from tidegate.core.kept_answer import KeptAnswer
from tidegate.gateway.invalidations import Invalidations
from tidegate.stores.exact_vectors import Matrix
from tidegate.stores.memory_answers import MemoryAnswers
from tidegate.stores.memory_vectors import MemoryVectors
from tidegate.stores.vector_thread import VectorThread


def test_another_wording_is_asked_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            headers = {
                "authorization": f"Bearer {it.it.key}",
                "x-tidegate-cache-sources": "doc-17",
            }
            await it.it.ask(body=asking(ONE), headers=headers)
            told = await it.it.ask(body=asking(POLITE))
            assert told.headers["x-tidegate-cache-tier"] == "semantic"
            it.it.world.cache.invalidate("01A", Selector(source="doc-17", tier="semantic"))
            assert (await it.it.ask(body=asking(POLITE))).headers["x-tidegate-cache"] == "miss"
            assert (await it.it.ask(body=asking(ONE))).headers["x-tidegate-cache"] == "hit"
            assert it.asked == 2

    run(main())


def test_vectors_are_made_anew(tmp_path: Path) -> None:
    async def main() -> None:
        script = Embedders()
        async with embedding(tmp_path, script) as it:
            cache, tagged = it.it.world.cache, {"x-tidegate-cache-tags": "corpus"}
            cache.invalidations.forget_all()  # as a gateway does that joins its control

            async def ask(*items: str) -> Any:
                return await it.ask(list(items), headers=tagged)

            await ask("a", "b")
            await ask("b", "c")
            cache.invalidate("01A", Selector(tag="corpus"))
            await ask("a", "c")
            await ask("a", "c")
            assert script.asked == [["a", "b"], ["c"], ["a", "c"]]

    run(main())


def test_a_question_goes_with_its_answer() -> None:
    async def main() -> None:
        answers, aside = MemoryAnswers(1 << 20), VectorThread()
        index = MemoryVectors(Matrix, aside, 1 << 20)
        invalidations = Invalidations(lambda: [answers], lambda: [(index, answers)])
        answers._log = invalidations.log
        for key in (b"one", b"other"):
            answers.put(key, KeptAnswer("r", 1.0, 60.0, "t", False, b"{}"), 60.0)
            index.put(b"p", key, vector_of(key.decode()), key.decode(), 60.0)
        answers.drop(b"other")
        invalidations.hear(Selector(tag="a"), "control")
        await invalidations.swept()
        assert index.places() == [(b"p", b"one")]
        invalidations.hear(EVERYTHING, "control")
        await invalidations.swept()
        assert (len(index), index.size) == (0, 0)
        aside.stop()

    run(main())
