"""Vectors that a run asks its gateway for."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.evals.asked import SESSION, SOON, asked, case
from tests.gateway.rig import gateway, run, target
from tests.sim.rig import engine

from tidegate.core.grading import Answered, Check
from tidegate.evals.asking import Gateway
from tidegate.evals.embedding import Embedder, Means
from tidegate.evals.grading import Judges, Marker


def likes(text: str, threshold: float = 0.75) -> Check:
    options = {"to": text, "threshold": threshold}
    return Check("semantic_similarity", Raw(msgspec.json.encode(options)))


def test_a_simulated_engine_says_which_answers_are_alike(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            engine(models=("served-model",)) as sim,
            gateway(tmp_path, target(sim.port)) as house,
        ):
            key = house.store.add(purpose="eval")
            host, port = house.address
            async with Gateway(f"http://{host}:{port}", key, SESSION, 4, SOON) as way:
                marker = Marker(Judges(embedder=Embedder(way, "small")))
                check = likes("refunds are paid within fourteen days")
                one = case("a", checks=(check, likes("the cat sat on the mat", 0.9)))
                said = Answered("refunds are paid within fourteen days, always")
                outcome = await marker.outcome(one, 0, said)
                near, far = (grade for _, grade in outcome.grades)
                assert (near.verdict, far.verdict) == ("pass", "fail")
                assert isinstance(near.score, float) and 0.75 < near.score < 1
                assert outcome.judges == ()
            receipts = house.receipts()
            assert {(it.endpoint, it.session) for it in receipts} == {
                ("embeddings", f"{SESSION}.embed")
            }

    run(main())


def test_what_is_expected_is_asked_for_once(tmp_path: Path) -> None:
    class Counted:
        def __init__(self) -> None:
            self.bodies: list[Any] = []

        async def ask(self, body: bytes, purpose: str) -> Answered:
            asked_ = msgspec.json.decode(body)
            self.bodies.append(asked_["input"])
            rows = [{"index": n, "embedding": [1.0, n]} for n in range(len(asked_["input"]))]
            return Answered(msgspec.json.encode({"data": rows[::-1]}).decode())

    counted = Counted()
    embedder = Embedder(counted, "small")  # type: ignore[arg-type]
    for answer in ("one", "two", "expected"):
        vectors, why = asyncio.run(embedder.embed((answer, "expected")))
        assert why is None and vectors is not None
        assert vectors[1] == [1.0, 1]
    assert counted.bodies == [["one", "expected"], ["two"]]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"data": []}, "of 2 texts 0 have a vector"),
        ({"data": [{"index": 0, "embedding": [1]}] * 2}, "of 2 texts 1 have a vector"),
        ({"data": [{"index": 0, "embedding": "AAAA"}]}, "the answer holds none"),
        ("[" * 100_000, "the answer holds none"),
    ],
)
def test_what_is_no_answer_is_no_vector(said: Any, why: str) -> None:
    class Odd:
        async def ask(self, body: bytes, purpose: str) -> Answered:
            return Answered(said if isinstance(said, str) else msgspec.json.encode(said).decode())

    vectors, found = asyncio.run(Embedder(Odd(), "small").embed(("a", "b")))  # type: ignore[arg-type]
    assert vectors is None
    assert found is not None and why in found


def test_a_route_that_is_not_there_is_no_vector(tmp_path: Path) -> None:
    async def main() -> None:
        async with asked(tmp_path / "g", lambda _: "not a vector") as (_, _, way):
            embedder = Embedder(way, "gone")
            vectors, why = await embedder.embed(("a", "b"))
            assert vectors is None
            assert why is not None and "no such model" in why
            no = Means(None, embedder)
            assert await no((), None) == (None, "the run has no judge")

    run(main())
