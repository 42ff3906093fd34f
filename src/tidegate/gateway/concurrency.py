"""How many requests a target bears at once, learnt from its first-token times. Pure.

A target that has more than it can serve lets requests wait before their first token. So the limit
follows the gradient between the first-token time that a request of this size has when there is
room, and the one that it has now. It starts at twice what is in flight, until first tokens come
late. Little's law says then how many of those in flight only wait, which is first tokens a second
x how much later than usual they come; the others are what the target bears. From there on the
limit goes up by small steps where it has borne trouble before, by greater ones far from there, and
down by those that wait.

A target can also have become slow by itself. Then a lower limit does not make it faster: the cut
is taken back, and the new time is what is normal.
"""

import math
from typing import Final

from msgspec import Struct

# A typical first token this much later than unhindered is a sign of waiting, if it comes to so many
# requests that wait at a time, by Little's law. At a calm target it takes a stronger sign, because
# then it is more likely chance; of those sent at the limit itself less will do.
TOLERANCE: Final = 1.5
CALM_TOLERANCE: Final = 2.25
TOP_TOLERANCE: Final = 1.4
LEAST_WAITING: Final = 1.4
# Differences of this order are not worth reacting to, whatever their ratio: a busy gateway or
# network makes them as well.
SLACK_S: Final = 0.05
LEAST_LATE_S: Final = 0.06
# What is in flight before anything is known: fewer would keep the first of a new load waiting.
START: Final = 64
WINDOW_SAMPLES: Final = 16
MOST_SAMPLES: Final = 64
HEADROOM: Final = 2.0
# All but the first class may leave one in 16 of the places free, or 4 where that is not more than
# one in 8. Only a limit that was used up to there is known to have been borne, by so many at least.
KEPT_PART: Final = 16
KEPT: Final = 4
TOP_SAMPLES: Final = 8
# The first class, and what is tried where nobody waits, may go beyond the limit by one in so many.
BEYOND_PART: Final = 8
# This far beyond it what was once too much is so no more.
OUTGROWN: Final = 1.1
# From what part of the limit it is known whether a cut has paid, and how much it must have paid:
# this share of what it would have, were all of the time spent waiting.
JUDGED_AT: Final = 0.7
MUST_PAY: Final = 0.25
LEARN: Final = 0.05
# At the limit so many requests wait for their first token at least, without a sign of trouble.
LEAST_UNANSWERED: Final = 2
KNOWN_SAMPLES: Final = 5
# At the start so many samples say enough where hardly more places are left than that.
NEAR_SAMPLES: Final = 3


class Sample(Struct):
    """One request's first token, `took_s` after it was sent at `sent_s` as one of `in_flight`.

    Requests of one `kind` usually take as long as one another. It stands for so many requests. One
    that was `tried` where the target was not known to bear so many shows that it does, or nothing.
    """

    kind: int
    took_s: float
    sent_s: float
    in_flight: int
    stands_for: int = 1
    tried: bool = False


class _Usual(Struct):
    """The logarithm of the time that requests of one kind take unhindered."""

    log_s: float
    samples: int = 1


class _Cut(Struct, frozen=True):
    """Where the limit stood before it was lowered, and how late first tokens were there."""

    limit: float
    late: float


class _Seen(Struct):
    """Samples that are judged together: how late they were, as logarithms, and how long they
    have waited. `peak` is the most that was in flight beside one."""

    since_s: float = 0.0
    count: int = 0
    late: float = 0.0
    waited_s: float = 0.0
    peak: int = 0


class AdaptiveLimit:
    """The limit of one target; `limit` is read before each request.

    Half of what it is known to bear is `calm`. `unanswered` is how many of `limit` wait for their
    first token by Little's law. Samples of requests that were sent before the last change say
    nothing about it and are left out. With `least == most` the limit is fixed.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least, self.most = least, most
        self._starting = least < most
        self._too_much = math.inf  # where there was trouble last
        self._usual: dict[int, _Usual] = {}
        self._late = 0.0  # of the last samples together
        self._cut: _Cut | None = None
        self._held_s: float | None = None
        self._usual_s: float | None = None
        self._changed_s = 0.0
        self._seen, self._top = _Seen(), _Seen()
        self._set(float(START))
        self._judged_limit = self.limit

    def bound(self, least: int, most: int) -> None:
        """New bounds, from a new plan; what was learnt stands."""
        self._least, self.most = least, most
        self._set(max(self._exact, float(START)) if self._starting else self._exact)

    def first_token(self, sample: Sample, now_s: float) -> bool:
        """Learns of one request. True when its first token came in time."""
        took_s = sample.took_s
        log_s = math.log(took_s + SLACK_S)
        usual = self._usual.get(sample.kind)
        if usual is None:
            usual = self._usual[sample.kind] = _Usual(log_s - self._late)
        late = log_s - usual.log_s
        in_time = late <= _LOG_TOLERANCE
        if in_time:
            self._usual_s = _mixed(self._usual_s, took_s)
            if sample.tried and usual.samples > 1:  # of the first of a kind nobody can tell
                self._set(max(self._exact, float(sample.in_flight)))
        if usual.samples < KNOWN_SAMPLES or (in_time and 2 * sample.in_flight <= self._carried):
            usual.samples += 1
            usual.log_s += late * max(1 / usual.samples, LEARN)
        if sample.sent_s >= self._changed_s and (in_time or not sample.tried):
            waited_s = (took_s + SLACK_S - math.exp(usual.log_s)) * sample.stands_for
            self._note(late, waited_s, sample.in_flight, now_s)
        return in_time

    def ended(self, held_s: float, in_time: bool) -> None:
        """A request has given its place back that it held for `held_s`."""
        if in_time:
            self._held_s = _mixed(self._held_s, held_s)
            self._set(self._exact)

    def pushed_back(self, sent_s: float, now_s: float) -> None:
        """The provider said that it has too much to do; once for each change of the limit."""
        if sent_s >= self._changed_s:
            self._starting = False
            self._too_much = self._exact
            self._set(self._exact * 0.75)
            self._begin(now_s)

    @property
    def _carried(self) -> float:
        """How many it is known to bear."""
        return self._exact / HEADROOM if self._starting else self._exact

    def _note(self, late: float, waited_s: float, in_flight: int, now_s: float) -> None:
        seen, top = self._seen, self._top
        seen.count += 1
        seen.late += late
        seen.waited_s += waited_s
        seen.peak = max(seen.peak, in_flight)
        if in_flight >= self.limit - kept(self.limit):
            top.count += 1
            top.late += late
        window = WINDOW_SAMPLES
        if not self._starting:
            window = max(window, min(self.limit // 4, MOST_SAMPLES))
        # Earlier, when the others could not make up for it any more.
        certain = seen.late > 1.5 * window * _LOG_TOLERANCE and seen.count >= KNOWN_SAMPLES
        if seen.count >= window or certain or (self._starting and self._near_full(in_flight)):
            self._judge(now_s)

    def _near_full(self, in_flight: int) -> bool:
        """Whether the next may have to wait, though these came in time: streams that hold their
        places for long would leave nobody to fill the window."""
        seen = self._seen
        in_time = seen.late <= seen.count * _LOG_TOLERANCE
        return in_time and seen.count >= NEAR_SAMPLES and in_flight >= self.limit - NEAR_SAMPLES

    def _judge(self, now_s: float) -> None:
        seen, top = self._seen, self._top
        late = self._late = seen.late / seen.count
        waiting = seen.waited_s / max(now_s - seen.since_s, SLACK_S)
        tolerance = _LOG_TOLERANCE if 2 * seen.peak > self._exact else _LOG_CALM_TOLERANCE
        worth_it = waiting > LEAST_WAITING and seen.waited_s > seen.count * LEAST_LATE_S
        if late > tolerance and worth_it:
            self._lower(min(self._exact, float(seen.peak)), late, waiting)
        elif self._starting and seen.peak >= self.limit - kept(self.limit):
            self._set(HEADROOM * seen.peak)
        elif top.count >= TOP_SAMPLES:
            if top.late > top.count * _LOG_TOP_TOLERANCE:
                self._starting = False
                self._too_much = self._exact
                self._set(self._exact - 1.0)
            else:
                self._raise(late)
            self._top = _Seen()
        self._begin(now_s)

    def _raise(self, late: float) -> None:
        limit = self._exact
        if limit > OUTGROWN * self._too_much:
            self._too_much = math.inf
        far = abs(self._too_much - limit) / 2
        part = 4 if late <= _LOG_TOLERANCE / 2 else 16
        self._set(limit + max(1.0, min(far, limit / part)))
        if self._cut is not None and self._exact >= self._cut.limit:
            self._cut = None

    def _lower(self, limit: float, late: float, waiting: float) -> None:
        cut = self._cut
        if cut is None or late > cut.late:
            self._cut = _Cut(limit, late)
        elif limit <= cut.limit * JUDGED_AT:
            if cut.late - late < MUST_PAY * math.log(cut.limit / limit):
                self._accept(late)
                self._set(cut.limit)
                return
            self._cut = _Cut(limit, late)
        self._starting = False
        self._too_much = limit
        self._set(max(limit - waiting, limit / 2))

    def _accept(self, late: float) -> None:
        """The target is as slow as this by itself."""
        for usual in self._usual.values():
            usual.log_s += late
        if self._usual_s is not None:
            self._usual_s *= math.exp(late)
        self._late = 0.0
        self._cut = None

    def _set(self, limit: float) -> None:
        self._exact = min(max(limit, float(self._least)), float(self.most))
        self.limit = self.unanswered = int(self._exact)
        self.calm = int(self._carried) // 2
        if self._usual_s is not None and self._held_s:
            # At the start more than is known to be borne is tried, so it goes at half the pace.
            pace = self._carried / HEADROOM if self._starting else self._carried
            usual = pace * self._usual_s / self._held_s
            self.unanswered = min(self.limit, max(math.ceil(usual), LEAST_UNANSWERED))

    def _begin(self, now_s: float) -> None:
        if self.limit != self._judged_limit:
            self._judged_limit = self.limit
            self._changed_s = now_s
            self._top = _Seen()
        self._seen = _Seen(now_s)


def kept(limit: int) -> int:
    """How many of its places all but the first class leave free where that one comes."""
    return max(limit // KEPT_PART, min(KEPT, limit // BEYOND_PART))


def _mixed(before: float | None, now: float) -> float:
    return now if before is None else before + LEARN * (now - before)


_LOG_TOLERANCE: Final = math.log(TOLERANCE)
_LOG_CALM_TOLERANCE: Final = math.log(CALM_TOLERANCE)
_LOG_TOP_TOLERANCE: Final = math.log(TOP_TOLERANCE)
