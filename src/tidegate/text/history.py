"""What of a conversation is left when it is made smaller, in no dialect.

A turn is what a user says with all that follows it: answers, calls of tools and what those said.
Turns go whole, and turns that share a call and its result go together, so that no call is left
without its result nor a result without its call. Systems' prompts and the last turn stay.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.ladder import History
from tidegate.text import tokens

Speaker = Literal["system", "user", "model", "tool"]
LEFT_OUT: Final = "[left out]"
_BLANKS: Final = re.compile(r"(?<![ \t\r\f\v])[ \t\r\f\v]++(?=\n|\Z)")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


class Item(Struct, frozen=True, gc=False):
    """One message or item. `ids` are of the calls that it makes or whose results it tells."""

    speaker: Speaker
    size_bytes: int
    ids: tuple[str, ...] = ()


def kept(items: Sequence[Item], rule: History) -> list[bool]:
    """Of each item whether it stays."""
    turn_of = _turns(items)
    units = _units(items, turn_of)
    count = max(turn_of, default=-1) + 1
    stays = [True] * count
    for turns in units:
        stays[turns[-1]] = _stays(turns, count, rule)
    always = {count - 1, *range(rule.keep_first)}
    if rule.max_tokens is not None:
        _shorten(items, (turn_of, units, stays), always, rule.max_tokens)
    for turns in units:
        for turn in turns:
            stays[turn] = stays[turns[-1]]
    return [turn < 0 or stays[turn] for turn in turn_of]


def answered(items: Sequence[Item]) -> list[bool]:
    """Of each item whether it is what a tool has said and the model has answered to."""
    last = max((at for at, it in enumerate(items) if it.speaker == "model"), default=-1)
    return [it.speaker == "tool" and at < last for at, it in enumerate(items)]


def squeezed(text: str) -> str:
    """Without blanks at the ends of lines, and with no more than one empty line in a row."""
    return _EMPTY_LINES.sub("\n\n", _BLANKS.sub("", text))


def _turns(items: Sequence[Item]) -> list[int]:
    """The number of each item's turn; -1 of a system's prompt."""
    found, turn, before = [], 0, None
    for item in items:
        if item.speaker == "system":
            found.append(-1)
            continue
        if item.speaker == "user" and before not in (None, "user"):
            turn += 1
        before = item.speaker
        found.append(turn)
    return found


def _units(items: Sequence[Item], turn_of: list[int]) -> list[list[int]]:
    """Turns that stay or go together, each in order; the units by their last turns."""
    home = list(range(max(turn_of, default=-1) + 1))
    first: dict[str, int] = {}
    for item, turn in zip(items, turn_of, strict=True):
        for one in item.ids if turn >= 0 else ():
            theirs, mine = _root(home, first.setdefault(one, turn)), _root(home, turn)
            home[min(theirs, mine)] = max(theirs, mine)
    units: dict[int, list[int]] = {}
    for turn in range(len(home)):
        units.setdefault(_root(home, turn), []).append(turn)
    return sorted(units.values(), key=lambda turns: turns[-1])


def _root(home: list[int], turn: int) -> int:
    while home[turn] != turn:
        home[turn] = home[home[turn]]  # the next way is half as long
        turn = home[turn]
    return turn


def _stays(turns: list[int], count: int, rule: History) -> bool:
    if rule.keep_last is None:
        return True
    last = count - max(rule.keep_last, 1)
    return any(turn < rule.keep_first or turn >= last for turn in turns)


def _shorten(
    items: Sequence[Item],
    laid: tuple[list[int], list[list[int]], list[bool]],
    always: set[int],
    most_tokens: int,
) -> None:
    """Takes the oldest away until as much is left."""
    turn_of, units, stays = laid
    sizes = [0] * len(stays)
    left_bytes = 0
    for item, turn in zip(items, turn_of, strict=True):
        if turn < 0:
            left_bytes += item.size_bytes
        else:
            sizes[turn] += item.size_bytes
    left_bytes += sum(sizes[turn] for turns in units if stays[turns[-1]] for turn in turns)
    for turns in units:
        if tokens.estimate(left_bytes) <= most_tokens:
            return
        if stays[turns[-1]] and always.isdisjoint(turns):
            stays[turns[-1]] = False
            left_bytes -= sum(sizes[turn] for turn in turns)
