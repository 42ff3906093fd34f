"""What a judge of two was heard to say."""

import asyncio

import pytest
from tests.graders.graded import Judge

from tidegate.evals.heard import Heard


@pytest.mark.parametrize(
    ("reply", "first"),
    [('{"better": "A"}', [True]), ('{"better": "B"}', [False]), ('{"better": "tie"}', []),
     ("[" * 10_000, []), ("\ud800", []), (None, [])],
)  # fmt: skip
def test_only_a_verdict_for_one_of_them_is_noted(reply: str | None, first: list[bool]) -> None:
    heard = Heard(Judge(reply))
    assert asyncio.run(heard((), None))[0] == reply
    assert heard.first == first
