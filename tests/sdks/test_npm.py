"""The official npm clients hold every conversation of the matrix that Python's hold."""

from collections.abc import Iterator

import pytest
from tests.sdks.holding import Place, hold_cell, hold_dropping
from tests.sdks.house import House
from tests.sdks.matrix import CELLS, PROVIDERS, Cell
from tests.sdks.npm import Node
from tests.sdks.said import (
    ANSWERS,
    CALLS,
    CEILING_TOKENS,
    INSTRUCTION,
    QUESTION,
    RESULTS,
    TEXT,
    TOOLS,
)
from tests.sdks.test_matrix import REFUSED, WAYS


@pytest.fixture(scope="module")
def npm(house: House) -> Iterator[Node]:
    it = Node(house.it.address, house.it.key)
    yield it
    it.close()


@WAYS
@pytest.mark.parametrize(("place", "cell"), CELLS.items(), ids=["-".join(place) for place in CELLS])
def test_a_cell(house: House, npm: Node, place: Place, cell: Cell, streamed: bool) -> None:
    hold_cell(house, npm.talk, place, cell, streamed)


@WAYS
@pytest.mark.parametrize(
    ("place", "cell"), REFUSED.items(), ids=["-".join(place) for place in REFUSED]
)
def test_by_the_rule_drop_it_is_left_out_and_named(
    house: House, npm: Node, place: Place, cell: Cell, streamed: bool
) -> None:
    hold_dropping(house, npm.talk, place, cell, streamed)


@WAYS
@pytest.mark.parametrize("case", ["text", "tools"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_vercel_s_ai_reaches_every_provider(
    house: House, npm: Node, name: str, case: str, streamed: bool
) -> None:
    """Its own loop: it runs the tools that are called, and asks again with what they say."""
    house.forget()
    provider = house.providers[name]
    provider.answers = list(ANSWERS[case])
    tools = {"tools": TOOLS, "results": RESULTS} if case == "tools" else {}
    facts = {"instruction": INSTRUCTION, "question": QUESTION, "ceiling": CEILING_TOKENS}
    line = {"caller": "ai", "ask": {"model": name, **facts, **tools}, "turns": 1}
    [turn] = npm.hold({**line, "streamed": streamed, "structured": False})
    assert provider.misunderstood == []
    assert (turn.said.text, turn.said.finish) == (TEXT, "stop")
    assert [heard.stream for heard in provider.heard] == [streamed] * len(ANSWERS[case])
    assert provider.heard[0].texts == [QUESTION]
    assert provider.heard[0].instructions == [INSTRUCTION]
    tokens = ANSWERS[case][0].tokens
    asked = len(ANSWERS[case])
    assert turn.said.tokens.input == asked * (tokens.input + tokens.cached)
    assert turn.said.tokens.output == asked * tokens.output
    if case == "tools":
        assert turn.said.calls == CALLS
        assert provider.heard[1].results == [(call.name, RESULTS[call.name]) for call in CALLS]
