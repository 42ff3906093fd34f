"""A judge is asked of anchors as a run would ask it."""

import asyncio

import msgspec
from msgspec import Raw

from tidegate.core.grading import Check
from tidegate.evals.anchors import Anchor
from tidegate.evals.calibrating import judged

Turns = tuple[tuple[str, str], ...]


class Told:
    """Answers from a list, and then nothing."""

    def __init__(self, *said: str) -> None:
        self.said = list(said)
        self.asked: list[Turns] = []

    async def __call__(self, turns: Turns, schema: str | None) -> tuple[str | None, str | None]:
        self.asked.append(turns)
        return (self.said.pop(0), None) if self.said else (None, "away")


def test_a_rubric_is_asked_twice_and_silence_is_no_label() -> None:
    check = Check("judge_rubric", Raw(b'{"rubric": "kind"}'))
    told = Told('{"reason": "", "score": 0.9}', '{"reason": "", "score": 0.2}')
    anchors = [Anchor("a", "x", (True,)), Anchor("b", "y", (True,))]
    first, second = asyncio.run(judged(told, check, anchors, 1))
    assert (first.labels, second.labels) == ((True, False), (None, None))
    assert first.first_shown == ()


def test_a_comparison_notes_what_was_shown_first() -> None:
    always_a = msgspec.json.encode({"reason": "", "better": "A"}).decode()
    told = Told(*[always_a] * 4)
    check = Check("judge_pairwise")
    [said] = asyncio.run(judged(told, check, [Anchor("a", "x", ("first",), "y")], 1))
    assert said.labels == ("tie", "tie")
    assert said.first_shown == (True, True, True, True)
    assert len(told.asked) == 4


def test_of_a_comparison_that_came_to_nothing_no_place_is_noted() -> None:
    """A verdict without its reason is none, and one order alone says nothing of places."""
    whole = msgspec.json.encode({"reason": "", "better": "A"}).decode()
    told = Told('{"better":"A"}', whole, "I do not know.")
    check = Check("judge_pairwise")
    [said] = asyncio.run(judged(told, check, [Anchor("a", "x", ("first",), "y")], 1))
    assert (said.labels, said.first_shown) == ((None, None), ())
