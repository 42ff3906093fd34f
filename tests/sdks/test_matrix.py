"""Both official clients, in each caller's dialect, with each kind of provider, whole and streamed.

Every request goes through a real gateway on a real socket to a provider that understands it in its
own wire and answers in it. What the client's typed objects say is what the provider said, what the
provider understood is what the client was asked to send, and the receipt agrees with both.
"""

import anthropic
import openai
import pytest
from tests.sdks.holding import Asked, BadRequest, Place, Turn, hold_cell, hold_dropping
from tests.sdks.house import House
from tests.sdks.matrix import CALLERS, CELLS, Cell

REFUSED = {place: cell for place, cell in CELLS.items() if cell.refused is not None}
WAYS = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


# Both clients warn of parsed answers that are sent back, which their documentation does.
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@WAYS
@pytest.mark.parametrize(("place", "cell"), CELLS.items(), ids=["-".join(place) for place in CELLS])
def test_a_cell(house: House, place: Place, cell: Cell, streamed: bool) -> None:
    hold_cell(house, lambda asked: talk(house, asked), place, cell, streamed)


@WAYS
@pytest.mark.parametrize(
    ("place", "cell"), REFUSED.items(), ids=["-".join(place) for place in REFUSED]
)
def test_by_the_rule_drop_it_is_left_out_and_named(
    house: House, place: Place, cell: Cell, streamed: bool
) -> None:
    hold_dropping(house, lambda asked: talk(house, asked), place, cell, streamed)


def talk(house: House, asked: Asked) -> list[Turn]:
    """The conversation by the official Python clients."""
    caller, name, case = asked.place
    speaker = CALLERS[caller]
    client = house.anthropic if caller == "messages" else house.openai
    ask = {"model": asked.route or name, **speaker.asked(case)}
    turns: list[Turn] = []
    try:
        while True:
            answer = speaker.say(client, ask, asked.streamed)
            formed = speaker.formed(answer) if case == "structured" and not turns else None
            turns.append(Turn(speaker.told(answer), formed))
            if len(turns) == asked.turns:
                return turns
            ask = speaker.go_on(ask, answer)
    except (anthropic.BadRequestError, openai.BadRequestError) as no:
        raise BadRequest(str(no)) from no
