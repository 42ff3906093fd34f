"""Sessions that use many tokens in a short time, told though no limit asks for it.

Most often an agent goes round in circles. Nothing is refused: the receipt with which a session has
passed its tokens names `NAME` among the limits that were passed, and the log tells of the session.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.record.journals import Batch

NAME: Final = "default:session"  # no name in a plan file has a colon
WINDOW_S: Final = 300
MAX_SESSIONS: Final = 8_192  # in each part of the window
_PART_S: Final = 30

_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode

Session = tuple[str | None, str]


class SessionAlert:
    """`most_tokens` says how many a session may use in `WINDOW_S`; 0 asks for no alert.

    It goes by the time that receipts tell, so that a recorder that catches up sees what was. A
    part of the window counts until all of it is over.
    """

    def __init__(self, most_tokens: Callable[[], int]) -> None:
        self._most_tokens = most_tokens
        self._parts: deque[dict[Session, int]] = deque([{}], maxlen=WINDOW_S // _PART_S + 1)
        self._newest = 0  # the number of the last part

    def mark(self, batch: Batch) -> None:
        """Names the alert on each receipt with which a session passed it. Once for each batch."""
        most = self._most_tokens()
        if not most:
            return
        now = int(clock.wall_s() // _PART_S)
        if now < self._newest - len(self._parts):  # the clock was set back
            self._parts.clear()
            self._begin(now)
        for place, (receipt, _) in enumerate(batch.entries):
            used, named = _tokens(receipt), receipt.session
            if used and named is not None and not receipt.is_own:
                ended_s = receipt.started_at_s + (receipt.total_s or 0.0)
                session = receipt.team, named
                total = self._add(session, used, min(int(ended_s // _PART_S), now))
                if total > most >= total - used:
                    receipt.over_limits = [*receipt.over_limits, NAME]
                    batch.entries[place] = receipt, _encode(receipt)
                    _tell(receipt, session, total, most)

    def _add(self, session: Session, used: int, number: int) -> int:
        """What the session has used in the window, with this; 0 for what is not watched."""
        if number > self._newest:
            self._begin(number)
        behind = self._newest - number
        if behind >= len(self._parts):
            return 0
        part = self._parts[-1 - behind]
        if session not in part and len(part) >= MAX_SESSIONS:
            return 0
        part[session] = part.get(session, 0) + used
        return sum(part.get(session, 0) for part in self._parts)

    def _begin(self, number: int) -> None:
        """The part of this number, and those that were left out before it."""
        most = WINDOW_S // _PART_S + 1
        self._parts.extend({} for _ in range(min(number - self._newest, most)))
        if not self._parts:
            self._parts.append({})
        self._newest = number


def _tell(receipt: Receipt, session: Session, total: int, most: int) -> None:
    _log.warning(
        "session %r of team %s has used %d tokens in %d minutes, more than %d (key %s)",
        *(session[1], session[0], total, WINDOW_S // 60, most, receipt.key_id),
    )


def _tokens(receipt: Receipt) -> int:
    read = receipt.total_input_tokens or 0
    return read + (receipt.output_tokens or 0) + (receipt.reasoning_tokens or 0)
