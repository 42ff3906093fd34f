"""Where the beginnings of recorded requests stop being the same, and what stands in the way.

Providers keep what requests begin with. A date, an id or a list in another order near the beginning
makes each request pay in full for all that stands behind it. What is found says where and of which
kind that is, never what was said. Pure; its time grows with the text that is looked at, of which
there is a bounded amount.
"""

import math
import re
from collections import Counter as Tally
from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import Struct, structs

from tidegate.prompts.counting import Counter
from tidegate.prompts.prefix import Prefix
from tidegate.prompts.varying import Kind, kind_at, starts_at

# Of one group so many requests are compared, of each so much.
MOST_REQUESTS: Final = 200
MOST_CHARS: Final = 64 * 1024
LEAST_REQUESTS: Final = 5
# So many must begin alike, and so many must hold a piece of text for it to be stable.
ALIKE: Final = 0.9
# Or so many, where only by these a form is found: others begin in another way altogether.
_MOST_OF_THEM: Final = 0.5
_NO_FORM: Final = ("message", "text")
# Shorter pieces are alike by chance.
_LEAST_PIECE_CHARS: Final = 16
_PIECE: Final = re.compile(r"[^\n.!?;,{}]*[\n.!?;,{}]?")
_END: Final = "\x1e"
# What capture took out: whether it varies cannot be seen any more.
_TAKEN_OUT: Final = re.compile(
    r"\[(?:redacted|media|email|phone|iban|card|ip|ssn|dates|numbers|urls|words)\]"
)


class Part(NamedTuple):
    """One message, or all tools (`role` is `tools`), as text in the order of the provider's."""

    role: str
    text: str


class Unstable(Struct, frozen=True, omit_defaults=True):
    """`compared` requests begin with the same `before_tokens`; of `others` the beginning is
    another. `kind` is what varies first (None: nothing does), in the part `turn` from 0, which is
    of `role`. Behind it stand `behind_tokens` of text that nearly all of them have, of `tokens` in
    all, a request on average. `saved_tokens` more of each would be kept, were what varies moved
    to the end. After `hidden_tokens` stands what capture took out, of which nobody knows whether it
    varies."""

    compared: int
    others: int
    tokens: int
    before_tokens: int
    behind_tokens: int = 0
    saved_tokens: int = 0
    kind: Kind | None = None
    role: str = ""
    turn: int = 0
    hidden_tokens: int | None = None

    @property
    def movable_share(self) -> float:
        """Of all tokens, those that could be kept beside what is."""
        return min(self.behind_tokens / self.tokens, 1.0) if self.tokens else 0.0


def unstable(requests: Sequence[Sequence[Part]], counter: Counter) -> Unstable | None:
    """What keeps the beginnings of these requests of one prompt apart; None where there are too few
    of them to say. The order of the requests does not matter."""
    texts = sorted(_flat(parts) for parts in requests[:MOST_REQUESTS])
    if len(texts) < LEAST_REQUESTS:
        return None
    found = _found(texts, ALIKE, counter)
    if found.kind in _NO_FORM:
        fewer = _found(texts, _MOST_OF_THEM, counter)
        if fewer.saved_tokens and fewer.kind not in _NO_FORM and fewer.compared >= LEAST_REQUESTS:
            return fewer
    return found


def _found(texts: list[str], share: float, counter: Counter) -> Unstable:
    alike, place = _alike(texts, share)
    others = len(texts) - len(alike)
    tokens = round(sum(counter.of(text) for text in alike) / len(alike))
    first = alike[0]
    if all(text == first for text in alike):
        place, start = len(first), len(first)
    else:
        start = starts_at(first, place)
    before = counter.of(first[:start])
    hidden = _TAKEN_OUT.search(first, 0, start)
    hidden_tokens = None if hidden is None else counter.of(first[: hidden.start()])
    found = Unstable(len(alike), others, tokens, before, hidden_tokens=hidden_tokens)
    if start == len(first) and place == start:
        return found
    behind = counter.of(_stable_behind([text[start:] for text in alike]))
    role = first[first.rfind(_END, 0, start) + 1 :].partition("\n")[0]
    return structs.replace(
        found,
        behind_tokens=behind,
        saved_tokens=Prefix(before, behind).saved,
        kind=kind_at(alike, start, _END),
        role=role,
        turn=first.count(_END, 0, start),
    )


def _flat(parts: Sequence[Part]) -> str:
    text = "".join(f"{_word(role)}\n{said.replace(_END, ' ')}{_END}" for role, said in parts)
    return text[:MOST_CHARS]


def _word(role: str) -> str:
    """A role that is told; one that a caller made up may say anything."""
    return role if role in ("tools", "system", "developer", "user", "assistant", "tool") else "?"


def _alike(texts: list[str], share: float) -> tuple[list[str], int]:
    """Those of the sorted texts that have the longest beginning which that share of them has, and
    how many characters that is."""
    many = max(2, math.ceil(share * len(texts)))
    best, start = -1, 0
    for at in range(len(texts) - many + 1):
        length = _common(texts[at], texts[at + many - 1])
        if length > best:
            best, start = length, at
    beginning = texts[start][:best]
    alike = [text for text in texts if text.startswith(beginning)]
    return alike, _common(alike[0], alike[-1])


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _stable_behind(rests: Sequence[str]) -> str:
    """The pieces of text, lines and clauses, that `ALIKE` of them hold, each once."""
    holders: Tally[str] = Tally()
    for rest in rests:
        holders.update({it for it in _PIECE.findall(rest) if len(it) >= _LEAST_PIECE_CHARS})
    needed = math.ceil(ALIKE * len(rests))
    return "".join(piece for piece, count in sorted(holders.items()) if count >= needed)
