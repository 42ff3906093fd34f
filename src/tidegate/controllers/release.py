"""Releases: each on its way through the table of states, one rollout a decision.

What is judged lies in `stats`, where a release may go in the table; here both meet.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.controllers import _release_evidence as evidence
from tidegate.controllers._release_asked import folded
from tidegate.controllers._release_conditions import is_own
from tidegate.controllers._release_evidence import how_much, margin_words
from tidegate.controllers._release_moves import moved
from tidegate.controllers._release_proposals import proposals
from tidegate.controllers._release_words import (
    Bounds,
    Burning,
    Finding,
    ShadowSeen,
    Sight,
    Standing,
)
from tidegate.core.block import Block
from tidegate.core.controller import Decision, Revise
from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import Asked
from tidegate.stats.analysis import Analysis

__all__ = [
    "Bounds",
    "Burning",
    "Finding",
    "Memory",
    "Place",
    "ShadowSeen",
    "Standing",
    "Unreadable",
    "View",
    "how_much",
    "is_own",
    "margin_words",
    "plug",
    "read_memory",
    "read_place",
]


class View(Struct, frozen=True, omit_defaults=True):
    """What is news of one rollout since the memory was made, and what binds it now. `blocks` are
    in order, each with its number in the store."""

    rollout: Rollout
    now_s: float
    active_s: float
    blocks: tuple[tuple[int, Block], ...] = ()
    asked: tuple[Asked, ...] = ()
    bounds: Bounds = Bounds()
    shadow: ShadowSeen = ShadowSeen()


class Memory(Struct, frozen=True, omit_defaults=True):
    """`block_seq` and `asked_seq` are the newest that were taken in: nothing is counted twice."""

    standing: Standing = Standing()
    analysis: Analysis | None = None
    block_seq: int = 0
    asked_seq: int = 0


class Place(Struct, frozen=True, omit_defaults=True):
    """A memory without what was counted, which takes most of the time to read."""

    standing: Standing = Standing()
    block_seq: int = 0
    asked_seq: int = 0


class Unreadable(ValueError):
    """What is remembered of a rollout cannot be read."""


# The arithmetic that blocks are judged by: another number where the same ones may say otherwise.
ARITHMETIC: Final = 2

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Memory).decode
_decode_place: Final = msgspec.msgpack.Decoder(Place).decode


def read_memory(memory: Raw) -> Memory:
    """That of a rollout which nobody has looked at yet is empty. Unreadable."""
    try:
        return _decode(memory) if memory else Memory()
    except (msgspec.DecodeError, ValueError) as error:
        raise Unreadable(f"what is remembered of it cannot be read: {error}") from error


def read_place(memory: Raw) -> Place:
    """Unreadable."""
    try:
        return _decode_place(memory) if memory else Place()
    except (msgspec.DecodeError, ValueError) as error:
        raise Unreadable(f"what is remembered of it cannot be read: {error}") from error


class _Release:
    name = "release"
    view_type: type[Struct] = View

    def decide(self, view: View, memory: Raw) -> Decision:
        try:
            known = read_memory(memory)
        except Unreadable:
            return _forgotten(view)
        analysis = _taken(known, view)
        standing, wishes = folded(
            known.standing, (one for one in view.asked if one.seq > known.asked_seq)
        )
        sight = Sight(
            rollout=view.rollout,
            standing=standing,
            finding=evidence.finding(analysis, view.rollout),
            bounds=view.bounds,
            shadow=view.shadow,
            wishes=wishes,
            now_s=view.now_s,
            active_s=view.active_s,
        )
        after, move = moved(sight)
        if move is not None:
            told = tuple(evidence.signals(analysis, view.rollout))
            sight = replace(sight, finding=replace(sight.finding, evidence=told))
        if standing.is_void and not after.is_void:
            analysis = evidence.begun(view.rollout, view.now_s)
        kept = Memory(
            standing=after,
            analysis=analysis,
            block_seq=max([known.block_seq, *(seq for seq, _ in view.blocks)]),
            asked_seq=max([known.asked_seq, *(one.seq for one in view.asked)]),
        )
        return Decision(proposals(sight, after, move), Raw(_encode(kept)))


def _forgotten(view: View) -> Decision:
    """Of one whose memory cannot be read nobody knows what it may do but to be taken back, at which
    state ever it was. Unreadable until a person asks for that."""
    asked = next((one for one in view.asked if one.what == "rollback"), None)
    if asked is None:
        raise Unreadable("what is remembered of it cannot be read: roll it back")
    why = f"{asked.who} asked for it: {asked.reason}"
    standing = Standing("rolled_back", since_s=view.now_s, why=why, by="rollback_asked")
    rollout = view.rollout
    revise = Revise("restore", rollout.route, rollout.id, why, {}, ())
    return Decision((revise,), Raw(_encode(Memory(standing))))


def _taken(known: Memory, view: View) -> Analysis:
    analysis = known.analysis or evidence.begun(view.rollout)
    for seq, block in view.blocks:
        if seq > known.block_seq:
            analysis = evidence.taken(analysis, view.rollout, block)
    return analysis


plug: Final = _Release()
