"""pick: a place at the target, at once or in line; given back when the attempt has ended."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from tidegate.core import clock
from tidegate.core.levers import EVERY
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Plan, Target
from tidegate.core.priority import PRIORITIES, rank
from tidegate.core.receipt import Receipt
from tidegate.gateway.entrance import Wish
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.keep_alive import keep_alive
from tidegate.gateway.no_place import overloaded
from tidegate.gateway.places import Place, Places
from tidegate.gateway.pressure import Pressure
from tidegate.gateway.progress import Progress
from tidegate.gateway.queueing import Gone

# What a request's share of a target is reckoned by: tokens, as far as they can be guessed. The
# caller's ceiling is no guess: few answers come near it.
BYTES_A_TOKEN = 4
TYPICAL_OUTPUT_TOKENS = 256

FIRST_CLASS = PRIORITIES[0]
# The ticker sweeps ten times a second; a process that was stopped has not.
STANDSTILL_S = 1.0

# Kinds of request by what their time depends on; the power of two of that is added.
_STREAMED, _EMBEDDED, _WHOLE = 0, 64, 128


class Queues:
    """The places of each target, by its name; those of an adapter are its model's. They outlive a
    plan, and a target that a plan has no more keeps its own until nobody is left there."""

    def __init__(self) -> None:
        self._places: dict[str, Places] = {}
        self._planned: dict[str, Target] = {}
        self._names: dict[str, set[str]] = {}  # of the targets that share each
        self._caps: Mapping[str, float] = {}
        self._swept_s = math.inf

    def obey(self, plan: Plan) -> None:
        """The plan of now: its targets' settings hold. Who has a place, or waits, goes on."""
        self._planned = {target.pool: target for target in plan.targets.values()}
        self._names = {name: {name} for name in self._planned}
        for target in plan.targets.values():
            self._names[target.pool].add(target.name)
        for name, target in self._planned.items():
            places = self._places.get(name)
            if places is not None:
                places.obey(target.queueing, self._most(target))
            else:
                self._places[name] = Places(target.queueing, self._most(target))
        self._forget()

    def cap(self, caps: Mapping[str, float]) -> None:
        """At most so many are in flight at these targets, by their names, and at the others as many
        as the plan has. Who has a place keeps it. An adapter's cap holds for all that share its
        places."""
        before, self._caps = self._caps, caps
        for name, target in self._planned.items():
            names = self._names[name]
            if _cap(before, names) != _cap(caps, names):
                self._places[name].obey(target.queueing, self._most(target))

    def close(self, off: Iterable[str]) -> None:
        """Who waits in line at these targets goes to another, or is refused; not where others stand
        in the same line, which goes on."""
        off = {*off}
        for name in off:
            places = self._places.get(name)
            if places is not None and self._names.get(name, off) <= off:
                places.entrance.shed_from(0, _switched_off)

    def turn_away(self) -> None:
        """Whoever waits for what it does not want any more leaves its line."""
        for places in self._places.values():
            places.entrance.turn_away()

    def _most(self, target: Target) -> int:
        most = target.max_connections * len(target.replicas)
        names = self._names.get(target.pool, {target.pool})
        return int(min(most, _cap(self._caps, names)))

    def at(self, target: Target) -> Places:
        """The places at a target, also of a request that obeys an older plan."""
        name = target.name if target.adapter is None else target.adapter.of
        places = self._places.get(name)
        if places is None:
            places = self._places[name] = Places(target.queueing, self._most(target))
        return places

    def sweep(self, now_s: float, keep_alive_s: float, pressure: Pressure) -> None:
        """Ends waits that are too long, and those of classes that are not served now."""
        stood_still_s = now_s - self._swept_s
        self._swept_s = now_s
        for places in self._places.values():
            if stood_still_s > STANDSTILL_S:
                places.entrance.stood_still(stood_still_s)
            places.sweep(now_s, keep_alive_s)
            if pressure.admitted < len(PRIORITIES):
                places.entrance.shed_from(pressure.admitted, pressure.refusal)
        if len(self._places) > len(self._planned):
            self._forget()

    def __iter__(self) -> Iterator[tuple[str, Places]]:
        return iter(self._places.items())

    def _forget(self) -> None:
        self._places = {
            name: places
            for name, places in self._places.items()
            if name in self._planned or places.in_flight or places.line.count
        }


def _cap(caps: Mapping[str, float], names: Iterable[str]) -> float:
    least = min(caps.get(name, math.inf) for name in names)
    return min(least, caps.get(EVERY, math.inf))


def _switched_off() -> Refusal:
    return overloaded("the target in whose line the request waited was switched off", None)


def pick_at_once(progress: Progress, places: Places) -> bool:
    """Takes a place without waiting, kept as `progress.place`; whether there was one."""
    receipt = progress.receipt
    place = places.take_unwatched(receipt.priority == FIRST_CLASS)
    if place is None:
        place = places.take(rank(receipt.priority), receipt.stream, clock.monotonic_s())
    progress.place = place
    return place is not None


async def pick(
    progress: Progress, places: Places, deadline_s: float | None, gone: Gone | None = None
) -> None:
    """Takes a place, kept as `progress.place`. Refusal when none is to be had in time, and what
    `gone` says, where that says something while it is in line.

    `deadline_s` is how long the caller waits for its answer, from the request's arrival.
    """
    if pick_at_once(progress, places):
        return
    now_s = clock.monotonic_s()
    try:
        wish = _wish(progress, now_s, deadline_s)
        wish.gone = gone
        progress.place = await places.wait(wish, now_s)
    finally:
        progress.queued_s += clock.monotonic_s() - now_s


def leave(progress: Progress, error_code: str | None) -> None:
    """Gives the place back, with what the attempt has shown of its target. Once for each `pick`.

    `error_code` is how the attempt ended; None: well.
    """
    place = progress.place
    if place is None:
        return
    progress.place = None
    places, receipt, call = place.places, progress.receipt, progress.call
    sent_s = None if call is None else call.sent_s
    if sent_s is not None and error_code in _PUSHED_BACK:
        places.limit.pushed_back(sent_s, clock.monotonic_s())
    if place is places.unwatched:
        if places.leave_unwatched():
            places.left(clock.monotonic_s())
        return
    if call is not None and sent_s is not None and error_code is None:
        _tell(place, call, receipt, sent_s)
    place.release(clock.monotonic_s())


def first_token(place: Place, receipt: Receipt, sent_s: float, now_s: float) -> None:
    """Tells a stream's first token as it comes."""
    place.first_token(_STREAMED + (receipt.input_bytes or 0).bit_length(), sent_s, now_s)


def told(progress: Progress) -> Callable[[float], None] | None:
    """What a relay tells its first content to, for `Relay.on_first`."""
    place, call = progress.place, progress.call
    if place is None or place is place.places.unwatched or call is None or call.sent_s is None:
        return None
    return partial(first_token, place, progress.receipt, call.sent_s)


def _tell(place: Place, call: InFlight, receipt: Receipt, sent_s: float) -> None:
    """What an attempt says of its target, where nothing was told while it went on."""
    if call.first_s is not None:
        first_token(place, receipt, sent_s, call.first_s)
    elif call.attempt.status == 200 and call.ended_s is not None and not call.stream:
        # A whole answer: its time depends on what there was to do, not on a first token.
        kind = _EMBEDDED + (receipt.input_bytes or 0).bit_length()
        if receipt.endpoint in ("chat", "completions"):
            kind = _WHOLE + (receipt.output_tokens or 0).bit_length()
        place.first_token(kind, sent_s, call.ended_s)


_PUSHED_BACK = frozenset({"upstream_rate_limited", "upstream_overloaded"})


def _wish(progress: Progress, now_s: float, deadline_s: float | None) -> Wish:
    receipt = progress.receipt
    tokens = (receipt.input_bytes or 0) / BYTES_A_TOKEN + TYPICAL_OUTPUT_TOKENS * receipt.choices
    wish = Wish(rank(receipt.priority), (receipt.team, receipt.customer), receipt.stream)
    wish.work = tokens
    if deadline_s is not None:
        wish.deadline_s = deadline_s - (now_s - progress.received_s)
    if receipt.stream:
        wish.keep_alive = partial(keep_alive, progress)
    return wish
