"""Whether the user of an answer had to ask again: restated the question, said that the answer was
wrong, had it made anew, or said so by feedback.

What counts is decided before it is known what the user did: which answers could be followed up does
not depend on whether they were. Nothing of what was said is in what is found.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tidegate.core.capture import Captured
from tidegate.text.correction import asks, is_correction
from tidegate.text.next_turn import NextTurn, last_question, next_turn, spoken
from tidegate.text.restated import is_restated

# So long a user's next turn may speak of the answer.
WINDOW_S: Final = 600.0
# Who asks the same once more within this time is a client that has lost the answer. So much clocks
# of two gateways may differ, too.
RETRY_S: Final = 2.0


class Turn(Struct, frozen=True):
    """A captured request whose answer ended at `ended_at_s`. `is_known`: whose conversation it is,
    is known by a session or an end user. `complained`: within the time its user rated it badly, or
    said that it was made anew. `may_be_missed`: a next turn would not have been captured."""

    asked: Captured
    ended_at_s: float
    is_known: bool = False
    complained: bool = False
    may_be_missed: bool = False


class Later(Struct, frozen=True):
    """A later request of the same conversation. `is_retry`: its client says that it sends it again
    by itself."""

    asked: Captured
    is_retry: bool = False


class Found(Struct, frozen=True):
    """`is_bad` None: nobody knows. `why` is a sentence."""

    is_bad: bool | None
    why: str


_COMPLAINED: Final = Found(True, "its user rated it badly or said that it was made anew")
_AGAIN: Final = Found(True, "the same was asked again without the answer")
_EDITED: Final = Found(True, "the question was edited and asked again")
_RESTATED: Final = Found(True, "the next turn restates the question")
_CORRECTED: Final = Found(True, "the next turn begins by saying that the answer was wrong")
_NOTHING: Final = Found(False, "no next turn within 10 minutes")
_WENT_ON: Final = Found(False, "the next turn is another question")
_CLARIFIED: Final = Found(False, "the next turn answers a question of the assistant")
_SHORTENED: Final = Found(None, "only the answer's beginning is kept, and how it ended counts")
_MISSED: Final = Found(None, "a next turn would not have been captured")
_PERHAPS: Final = Found(None, "several conversations begin like this one")


def followed_up(turn: Turn, later: Sequence[Later]) -> Found | None:
    """What is found of it once its time is over; `later` in the order in which they were asked.
    None: no answer that could be followed up, as it broke off, calls a tool, or was asked for again
    by the client itself."""
    asked = turn.asked
    told = None if asked.cut or asked.calls else spoken(asked.messages)
    at = None if told is None else last_question(told)
    if told is None or at is None:
        return None
    next_one, alone, is_sure = None, None, True
    for it in later:
        then = spoken(it.asked.messages)
        found = (
            None if then is None else next_turn(told, asked.answer, then, is_known=turn.is_known)
        )
        if found is None or it.asked.at_s > turn.ended_at_s + WINDOW_S:
            continue
        if found.how == "again" and _is_retry(turn, it):
            return None
        if it.asked.at_s < turn.ended_at_s - RETRY_S:
            continue
        if found.how == "alone":
            alone = alone or found
        elif found.how != "perhaps":
            next_one = found
            break
        else:
            is_sure = False
    if turn.complained:
        return _COMPLAINED
    next_one = next_one or alone
    if next_one is None:
        if not is_sure:
            return _PERHAPS
        return _MISSED if turn.may_be_missed else _NOTHING
    return _of(next_one, told[at].text, asked)


def _is_retry(turn: Turn, later: Later) -> bool:
    return later.is_retry or later.asked.at_s <= turn.ended_at_s + RETRY_S


def _of(next_one: NextTurn, question: str, asked: Captured) -> Found:
    if next_one.how == "again":
        return _AGAIN
    asked_back = asks(asked.answer)
    if next_one.how == "edited":
        found = _EDITED
    elif is_restated(question, next_one.text):
        found = _RESTATED
    elif is_correction(next_one.text, None if asked_back == "clarification" else asked_back):
        found = _CORRECTED
    else:
        return _WENT_ON
    if asked.shortened:
        return _SHORTENED
    return _CLARIFIED if asked_back == "clarification" else found
