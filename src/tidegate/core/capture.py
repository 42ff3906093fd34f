"""Content capture: which requests of a route are kept with what was said, for how long, and how.

A record is made by a gateway after settle and is redacted before anybody can read it.
"""

import zlib
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tidegate.core.arm import Arm
from tidegate.core.cache import ANSWERED, Outcome, Tier
from tidegate.core.probe import SHADOW
from tidegate.core.purpose import is_production
from tidegate.core.receipt import Receipt

# What a route may have taken out beside what always is.
MoreKind = Literal["dates", "numbers", "urls"]
# Requests that are not captured unless a route asks for them.
Also = Literal["eval", "shadow"]
# A record is one frame of a spool, which holds twice as much.
MOST_BYTES: Final = 384 * 1024
_WHOLE: Final = 1 << 64


class Capture(Struct, frozen=True, omit_defaults=True):
    """Of a route: `share` of its conversations are kept for `keep_s`, and of the requests that are
    of none; `canary_share` of those of a release that is under way, where that is another.
    `max_bytes` bounds what is kept of a question and of an answer; a longer question is not kept.
    `redact` and `words` add to what is taken out."""

    share: float
    keep_s: float = 7 * 86_400.0
    max_bytes: int = 64 * 1024
    redact: tuple[MoreKind, ...] = ()
    words: tuple[str, ...] = ()
    also: tuple[Also, ...] = ()
    canary_share: float | None = None

    def wants(self, receipt: Receipt, place: int | None = None) -> bool:
        """Whether this request is kept. `place` is its conversation's (`core.conversation_place`),
        of which all or nothing is kept; None: the request is drawn by its own id. The same is said
        of the same, wherever it is asked."""
        if receipt.shadow_of is not None or receipt.purpose == SHADOW:
            asked = "shadow" in self.also
        elif receipt.cache == "refresh":  # it renews a kept answer, and nobody asked for it
            asked = False
        elif is_production(receipt.purpose, has_key=receipt.key_id is not None):
            asked = True
        else:
            asked = receipt.key_id is not None and "eval" in self.also
        share = self.share
        if receipt.arm == "canary" and self.canary_share is not None:
            share = self.canary_share
        if place is None:
            place = zlib.crc32(receipt.id.encode()) << 32
        return asked and place < share * _WHOLE


class Kept(Struct, frozen=True, omit_defaults=True):
    """What was kept and lay near, redacted. `question` is the one that its answer was first given
    to; `answer` is there where the caller had another. `taken_out`: of the question something was
    taken out, so that nobody can tell any more whether both ask the same."""

    question: str
    answer: str | None = None
    taken_out: bool = False


class Captured(Struct, frozen=True, omit_defaults=True):
    """One request with what was said, redacted. Times are wall-clock seconds.

    `messages` is JSON: an array of {role, content} with what its caller's wire has beside. `calls`
    are the functions that the answer calls, with their arguments; `tools` is JSON, those that it
    could call, where they fit beside the question. `cut`: the answer did not come
    to its end, `shortened`: only its beginning is kept. `redacted` counts what was taken out, by
    kind. `conversation` tells whole conversations apart and says nothing of who talks; None: which
    one this is of is not known.

    `cache` says how it was found where it asked for a kept answer, and `cache_tier` by which tier:
    one that answered, or `semantic` where that has noted what it would have given. `cache_from`,
    `cache_score` and `cache_veto` are as on its receipt, `compared_by` says what has compared
    the two questions. `kept` is what was found by a question that is not the same."""

    receipt_id: str
    at_s: float
    until_s: float
    route: str
    messages: str
    answer: str
    purpose: str
    key_id: str | None = None
    team: str | None = None
    customer: str | None = None
    end_user: str | None = None
    release: str | None = None
    arm: Arm | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    target: str | None = None
    model: str | None = None
    calls: tuple[tuple[str, str], ...] = ()
    cut: bool = False
    shortened: bool = False
    redacted: dict[str, int] = {}
    tools: str | None = None
    conversation: str | None = None
    cache: Outcome | None = None
    cache_tier: Tier | None = None
    cache_from: str | None = None
    cache_score: float | None = None
    cache_veto: str | None = None
    compared_by: str | None = None
    kept: Kept | None = None

    @property
    def is_kept_answer(self) -> bool:
        """Whether its caller was given what was kept of an earlier request."""
        return self.cache in ANSWERED

    @property
    def is_hit(self) -> bool:
        """Whether there is a kept answer in it that was given, or might have been."""
        return self.is_kept_answer or (self.kept is not None and self.kept.answer is not None)


encode_captured = msgspec.msgpack.Encoder().encode
decode_captured = msgspec.msgpack.Decoder(Captured).decode
