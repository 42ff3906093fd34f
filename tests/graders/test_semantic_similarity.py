"""What vectors of two texts say of their meaning."""

from collections.abc import Sequence

import pytest
from tests.graders.graded import Judge, case, grade

from tidegate.core.grading import Embedded

NAME = "semantic_similarity"


class Told(Judge):
    """Gives the vectors that it is told to."""

    def __init__(self, *vectors: Sequence[float]) -> None:
        super().__init__(None)
        self.vectors: Sequence[Sequence[float]] | None = vectors
        self.texts: tuple[str, ...] = ()

    async def embed(self, texts: tuple[str, ...]) -> Embedded:
        self.texts = texts
        return self.vectors, None


def of(*vectors: Sequence[float], **options: object) -> tuple[str, float]:
    texts = [f"text {n}" for n in range(len(vectors) - 1)]
    found = grade(NAME, {"to": texts, **options}, "ours", ask=Told(*vectors))
    return found.verdict, found.score if isinstance(found.score, float) else -1.0


def test_cosine_is_of_the_angle_alone_and_its_threshold_promptfoos() -> None:
    assert of((2.0, 0.0), (9.0, 0.0)) == ("pass", 1.0)
    assert of((1.0, 0.0), (0.75, 0.6614378277661477)) == ("pass", pytest.approx(0.75))
    assert of((1.0, 0.0), (0.74, 0.6726))[0] == "fail"
    assert of((1.0, 0.0), (-1.0, 0.0), threshold=-1.0) == ("pass", 0.0)


def test_the_nearest_of_several_counts() -> None:
    assert of((1.0, 0.0), (0.0, 1.0), (1.0, 0.1))[0] == "pass"
    assert of((1.0, 0.0), (9.0, 0.0), (1.0, 1.0), measure="euclidean", threshold=1)[0] == "pass"


def test_dot_grows_with_length_and_a_distance_may_not_be_greater() -> None:
    assert of((2.0, 0.0), (2.0, 5.0), measure="dot", threshold=4)[0] == "pass"
    assert of((2.0, 0.0), (1.9, 5.0), measure="dot", threshold=4)[0] == "fail"
    assert of((0.0, 0.0), (3.0, 4.0), measure="euclidean", threshold=5) == ("pass", 1 / 6)
    assert of((0.0, 0.0), (3.0, 4.1), measure="euclidean", threshold=5)[0] == "fail"


@pytest.mark.parametrize(
    "vectors",
    [
        [(1.0,)],
        [(1.0,), (1.0, 2.0)],
        [(), ()],
        [(0.0, 0.0), (1.0, 0.0)],
        [(float("nan"),), (1.0,)],
        [(1e308, 1e308), (1e308, 1e308)],
        [(1.0,), (1.0,), (1.0,)],
    ],
)
def test_vectors_that_cannot_be_compared_are_an_error(vectors: list[tuple[float, ...]]) -> None:
    found = grade(NAME, {"to": "theirs"}, "ours", ask=Told(*vectors))
    assert found.verdict == "error"


def test_without_embeddings_nobody_knows() -> None:
    for ask in (None, _Mute()):
        found = grade(NAME, {"to": "a"}, "a", ask=ask)
        assert found.verdict == "error"
        assert "the run has none" in found.why
    away = Told()
    away.vectors = None
    assert "nobody knows why" in grade(NAME, {"to": "a"}, "a", ask=away).why


def test_the_case_says_what_is_expected_and_nothing_is_like_nothing() -> None:
    told = Told((1.0,), (1.0,), (1.0,))
    assert grade(NAME, {}, "ours", case(expected=["one", "two"]), told).verdict == "pass"
    assert told.texts == ("ours", "one", "two")
    assert grade(NAME, {}, "ours", ask=told).verdict == "error"
    assert grade(NAME, {"to": "a"}, "  ", ask=told).verdict == "fail"


class _Mute:
    """An Ask without embeddings."""

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        return "{}", None
