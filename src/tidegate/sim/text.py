"""Text whose tokens are exactly defined, drawn by seed.

A token is up to eight letters or digits, or one other character, together with the white space
before it (white space at the end is one more). So whoever has the text can count its tokens, and
the text that comes out counts the same when it is sent in again.
"""

import hashlib
import random
import re
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate

_PIECE = re.compile(r"\s*(?:\w{1,8}|[^\w\s])|\s+")

_PAGE = (
    "the a of to and in is that it for on with as at by from this which or an be are was will "
    "can has have not but they we you all one when what there more other time some so out up "
    "tide gate water harbour river bridge stone light wind morning evening winter summer "
    "north south east west letter paper answer question number measure quiet clear early late "
    "small large open closed first second third every near far under over between across "
    "along before after always often never perhaps rather still already again together apart "
    "slowly quickly keeps holds turns moves opens closes begins ends reads writes counts "
    "carries brings takes gives shows finds leaves returns waits stands falls rises grows "
    "naïve café façade Übung 東京 "
)
_WORDS = tuple(_PAGE.split())
_VOCABULARY = (*(f" {word}" for word in _WORDS), ",", ".")
_CUMULATIVE = tuple(accumulate([1.0] * len(_WORDS) + [len(_WORDS) / 12, len(_WORDS) / 9]))

MIN_NATURAL_TOKENS = 16
MAX_NATURAL_TOKENS = 256


def pieces(text: str) -> list[str]:
    """The tokens of a text, in order; joined they are the text."""
    return _PIECE.findall(text)


def token_ids(tokens: Sequence[str]) -> list[int]:
    """An id a token: the CRC-32 of its bytes."""
    return [zlib.crc32(token.encode("utf-8", "surrogatepass")) for token in tokens]


def digest_of(ids: Sequence[int]) -> str:
    """A short name of a sequence of token ids."""
    return hashlib.blake2b(array("q", ids).tobytes(), digest_size=16).hexdigest()


def seed_of(*parts: str | int | None) -> int:
    """One seed from what an answer depends on."""
    packed = "\x1f".join("" if part is None else str(part) for part in parts)
    digest = hashlib.blake2b(packed.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def natural_tokens(seed: int) -> int:
    """How long an answer would be if nobody cut it: 16 to 256 tokens, short ones more often."""
    spread = MAX_NATURAL_TOKENS / MIN_NATURAL_TOKENS
    return int(MIN_NATURAL_TOKENS * spread ** random.Random(seed).random())


def words(seed: int, count: int) -> list[str]:
    """`count` tokens of text. The first begins without white space."""
    drawn = random.Random(seed ^ 0x5EED).choices(_VOCABULARY, cum_weights=_CUMULATIVE, k=count)
    if drawn:
        drawn[0] = "the" if drawn[0] in ",." else drawn[0][1:]
    return drawn


def until_stop(tokens: list[str], stops: Sequence[str]) -> tuple[list[str], int, bool]:
    """(tokens to show, tokens generated, stopped): the text up to the first stop sequence.

    The tokens that complete the stop sequence were generated and count; they are not shown.
    """
    text = "".join(tokens)
    found = [(at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not found:
        return tokens, len(tokens), False
    at, stop = min(found)
    shown: list[str] = []
    length = 0
    for index, token in enumerate(tokens):
        if length < at:
            shown.append(token[: at - length])
        length += len(token)
        if length >= at + len(stop):
            return shown, index + 1, True
    return shown, len(tokens), True
