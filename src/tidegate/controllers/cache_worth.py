"""Whether the tiers of a route's cache pay: one that does not is told of, or turned off a while.

What is judged lies in `stats.worth`. Evidence is gathered window by window, and within one its
bounds hold however often one looks. A tier that is off tells nothing of itself, so it is tried
again: after a while, and after each failure in a row after twice as long. Nothing is decided by
what is not known.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.controllers._cache_worth_words import (
    FLOOR,
    OFF,
    Memory,
    Place,
    TierSeen,
    View,
    evidence,
    why,
)
from tidegate.core.cache import Tier
from tidegate.core.cache_worth import MOST_OFF_S, Quality, Worth
from tidegate.core.controller import Decision, Proposal, Set, Tell
from tidegate.core.units import format_duration
from tidegate.stats.worth import Finding, found

__all__ = [
    "Memory",
    "Place",
    "TierSeen",
    "View",
    "holds",
    "judged_since_of",
    "may_hold",
    "plug",
    "read_memory",
]

# Of less time nothing is concluded that only a while without hits may have made.
LEAST_WINDOW_S: Final = 3 * 3600.0
# Evidence that tells nothing yet is gathered so long, and no longer.
MOST_WINDOW_S: Final = 7 * 86_400.0
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Memory).decode


def read_memory(memory: Raw) -> Memory:
    """That of a route which nobody has looked at yet is empty, as is one that cannot be read: its
    tiers are on again, and judged anew."""
    try:
        return _decode(memory) if memory else Memory()
    except (msgspec.DecodeError, ValueError):
        return Memory()


def judged_since_of(memory: Memory, tier: Tier) -> float | None:
    """From when on it counts how its hits were judged."""
    place = memory.tiers.get(tier)
    return None if place is None else place.judged_s


def holds(memory: Memory) -> bool:
    """Whether something of the route may be held, or ends at a time."""
    return any(one.state in ("off", "raised") for one in memory.tiers.values())


class _CacheWorth:
    name = "cache_worth"
    view_type: type[Struct] = View

    def decide(self, view: View, memory: Raw) -> Decision:
        before = read_memory(memory)
        after: dict[str, Place] = {}
        proposals: list[Proposal] = []
        for seen in view.tiers:
            was = before.tiers.get(seen.tier)
            place = _judged(view, seen, _timed(view, seen, was))
            after[seen.tier] = place
            proposals += _held(view, seen.tier, place)
            proposals += _told(view, seen.tier, was, place)
        for tier, gone in before.tiers.items():
            if tier not in after and gone.state in ("off", "raised"):
                proposals.append(_over(view, tier, "it is not judged any more"))
        return Decision(tuple(proposals), Raw(_encode(Memory(after))))


def _timed(view: View, seen: TierSeen, was: Place | None) -> Place:
    """Where it stands by the time. A clock that was set back makes nothing longer."""
    now_s = view.now_s
    if was is None:
        return Place(now_s + seen.warm_s, now_s)
    held_s = _held_s(view, was.failures)
    place = replace(
        was,
        since_s=min(was.since_s, now_s + seen.warm_s),
        judged_s=min(was.judged_s, now_s),
        until_s=min(was.until_s, now_s + held_s),
    )
    if place.state in ("off", "raised") and now_s >= place.until_s:
        return Place(now_s + seen.warm_s, now_s, "trial", failures=place.failures)
    return place


def _judged(view: View, seen: TierSeen, place: Place) -> Place:
    """After what is new of it."""
    if place.state == "off":
        return place
    lasted_s = view.now_s - place.since_s
    is_told = False
    if seen.blocks:
        judged_for_s = max(view.now_s - place.judged_s, lasted_s, 1.0)
        quality = _paid_for(seen.quality, max(lasted_s, 0.0) / judged_for_s)
        finding = found(seen.blocks, view.worth, quality, lasted_s)
        is_lost = finding.advice == "does not pay" and lasted_s >= LEAST_WINDOW_S
        if is_lost or finding.advice == "wrong answers":
            return _failed(view, seen, place, finding)
        if finding.advice == "pays" and place.state == "trial":
            return Place(view.now_s, place.judged_s)
        is_told = finding.advice != "too early"
    if lasted_s < (view.worth.window_s if is_told else MOST_WINDOW_S):
        return place
    judged_s = place.judged_s
    if view.now_s - judged_s >= MOST_WINDOW_S:
        judged_s = view.now_s
    state = "on" if place.state == "trial" else place.state
    return replace(place, since_s=view.now_s, judged_s=judged_s, state=state)


def _paid_for(quality: Quality, share: float) -> Quality:
    """Hits were judged for longer than this evidence was gathered: it is charged its share."""
    return replace(quality, cost_nanousd=round(quality.cost_nanousd * share))


def _failed(view: View, seen: TierSeen, place: Place, finding: Finding) -> Place:
    floor = finding.floor if seen.tier == "semantic" else None
    if floor is not None and place.floor is not None and floor <= place.floor:
        floor = None  # it is there already, and that was not enough
    failures = place.failures + 1
    return Place(
        view.now_s + (0.0 if floor is None else seen.warm_s),
        view.now_s,
        "off" if floor is None else "raised",
        view.now_s + _held_s(view, failures),
        failures,
        floor,
        why(view, seen.tier, finding),
        evidence(view, seen.tier, finding),
    )


def _held_s(view: View, failures: int) -> float:
    """How long after so many failures in a row."""
    doubled = view.worth.retry_s * 2.0 ** min(max(failures - 1, 0), 20)
    return min(doubled, max(MOST_OFF_S, view.worth.retry_s))


def may_hold(worth: Worth, tier: str, place: Place) -> bool:
    """Whether there is a lever for it, and the loop may."""
    return worth.mode == "act" and (tier in OFF or place.floor is not None)


def _held(view: View, tier: Tier, place: Place) -> Iterator[Set]:
    if place.state not in ("off", "raised") or not may_hold(view.worth, tier, place):
        return
    if place.floor is not None:
        yield Set(FLOOR, view.route, place.floor, place.why, place.evidence)
    else:
        yield Set(OFF[tier], view.route, 1.0, place.why, place.evidence)


def _told(view: View, tier: Tier, was: Place | None, place: Place) -> Iterator[Tell]:
    """What people are told once, and that it is over."""
    before = "on" if was is None else was.state
    if before in ("off", "raised") and place.state == "trial":
        yield _over(view, tier, "it is judged anew")
    if place.state not in ("off", "raised") or place.failures == (was.failures if was else 0):
        return
    if before == "raised":
        yield _over(view, tier, "that was not enough")
    acts = may_hold(view.worth, tier, place)
    for_s = format_duration(place.until_s - view.now_s)
    if acts:
        done = f"Off for {for_s}, then it is tried again."
        if place.floor is not None:
            done = f"Its threshold is at least {place.floor:g} for {for_s}."
    elif place.floor is not None:
        done = _command(view, FLOOR, f" --to {place.floor:g}")
    elif tier in OFF:
        done = _command(view, OFF[tier], "")
    else:
        done = "Its applications may leave it out."
    title = f"{tier} answers of {view.route} do not pay"
    if "bad" in place.why:
        title = f"{tier} answers of {view.route} are wrong too often"
    yield Tell(
        topic="cache",
        key=_key(view, tier),
        severity="info" if acts else "ticket",
        title=title,
        text=f"{place.why}. {done}",
        route=view.route,
    )


def _command(view: View, lever: str, more: str) -> str:
    said = f"tidegate change set {lever} {view.route}{more} --for 1d --reason 'does not pay'"
    return f"`{said}` follows it; `tidegate cache worth --route {view.route}` shows it."


def _over(view: View, tier: str, text: str) -> Tell:
    title = f"{tier} answers of {view.route}"
    return Tell("cache", _key(view, tier), "info", title, text, True, view.route)


def _key(view: View, tier: str) -> str:
    return f"cache/{view.route}/{tier}"


plug: Final = _CacheWorth()
