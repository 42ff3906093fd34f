"""How many requests a target bears at once, learnt from its first-token times. Pure.

A target that has more than it can serve lets requests wait before their first token. So the limit
follows the gradient between the first-token time that a request of this size has when there is
room, and the one that it has now. It rises fast until the first sign of waiting, and goes up and
down in small steps from then on; never below what Little's law says was carried, which is ends a
second x the time a request takes unhindered.

A target can also have become slow by itself. Then a lower limit does not make it faster: the cut
is taken back, and the new time is what is normal.
"""

import math

from msgspec import Struct

# A typical first token this much later than unhindered is a sign of waiting; with little in
# flight it takes a stronger one, because then it is more likely chance.
TOLERANCE = 1.5
IDLE_TOLERANCE = 2.25
# How much of the way that the gradient points to is gone at once.
SMOOTH = 0.1
# Differences of this order are not worth reacting to, whatever their ratio.
SLACK_S = 0.05
START = 64
WINDOW_SAMPLES = 16
MOST_SAMPLES = 64
# Only a limit that was this much used is known to have been borne.
BUSY = 0.9
# From what part of the limit it is known whether a cut has paid, and how much it must have paid:
# this share of what it would have, were all of the time spent waiting.
JUDGED_AT = 0.7
MUST_PAY = 0.25
LEARN = 0.05
# At the limit so many requests wait for their first token at least, without a sign of trouble.
LEAST_UNANSWERED = 2.0
KNOWN_SAMPLES = 5


class _Usual(Struct):
    """The logarithm of the time that requests of one kind take unhindered."""

    log_s: float
    samples: int = 1


class _Cut(Struct, frozen=True):
    """Where the limit stood before it was lowered, and how late first tokens were there."""

    limit: float
    late: float


class AdaptiveLimit:
    """The limit of one target; `limit` is read before each request.

    Samples of requests that were sent before the last change say nothing about it and are left
    out. With `least == most` the limit is fixed.
    """

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most
        self._exact = float(min(max(START, least), most))
        self.limit = self.most_unanswered = int(self._exact)
        self._starting = True
        self._usual: dict[int, _Usual] = {}
        self._late = 0.0  # of the last window: logarithm of how many times the usual
        self._cut: _Cut | None = None
        self._unhindered_s: float | None = None
        self._usual_s: float | None = None
        self._judged_limit = self.limit
        self._changed_s = self._opened_s = 0.0
        self._samples = self._peak = self._ended = 0
        self._sum_late = 0.0

    def bound(self, least: int, most: int) -> None:
        """New bounds, from a new plan; what was learnt stands."""
        if self._starting:
            self._exact = float(START)
        self._least, self._most = least, most
        self._set(self._exact)

    def first_token(
        self, kind: int, took_s: float, sent_s: float, in_flight: int, now_s: float
    ) -> bool:
        """One request's first token, `took_s` after it was sent as one of `in_flight`.

        Requests of one `kind` usually take as long as one another. True when it came in time.
        """
        log_s = math.log(took_s + SLACK_S)
        usual = self._usual.get(kind)
        if usual is None:
            usual = self._usual[kind] = _Usual(log_s - self._late)
        late = log_s - usual.log_s
        in_time = late <= _LOG_TOLERANCE
        if in_time:
            before_s = self._usual_s
            self._usual_s = took_s if before_s is None else before_s + LEARN * (took_s - before_s)
        if usual.samples < KNOWN_SAMPLES or (in_time and 2 * in_flight <= self.limit):
            usual.samples += 1
            usual.log_s += late * max(1 / usual.samples, LEARN)
        if sent_s >= self._changed_s:
            self._samples += 1
            self._sum_late += late
            self._peak = max(self._peak, in_flight)
            if self._samples >= self._window():
                self._judge(now_s)
        return in_time

    def ended(self, held_s: float, in_time: bool, count: int = 1) -> None:
        """A request has given its place back that it held for `held_s`; it stands for `count`."""
        self._ended += count
        if in_time:
            before_s = self._unhindered_s
            self._unhindered_s = (
                held_s if before_s is None else before_s + LEARN * (held_s - before_s)
            )
            self._set(self._exact)

    def pushed_back(self, sent_s: float, now_s: float) -> None:
        """The provider said that it has too much to do; once for each change of the limit."""
        if sent_s >= self._changed_s:
            self._starting = False
            self._set(self._exact * 0.75)
            self._begin(now_s)

    def _window(self) -> int:
        """How many samples are judged together."""
        if self._starting:
            return WINDOW_SAMPLES
        return max(WINDOW_SAMPLES, min(self.limit // 4, MOST_SAMPLES))

    def _judge(self, now_s: float) -> None:
        late = self._late = self._sum_late / self._samples
        limit = self._exact
        busy = self._peak > min(BUSY * self.limit, self.limit - WINDOW_SAMPLES)
        if late > (_LOG_TOLERANCE if busy else _LOG_IDLE_TOLERANCE):
            self._lower(min(limit, float(self._peak)), late, now_s)
        elif busy:
            self._raise(limit, late)
        self._begin(now_s)

    def _raise(self, limit: float, late: float) -> None:
        if self._starting:
            # By a whole window at least: streams that last for hours fill the next one too.
            self._set(limit + max(limit / 4, WINDOW_SAMPLES))
        else:
            self._set(limit + max(1.0, limit / (8 if late <= _LOG_TOLERANCE / 2 else 16)))
        if self._cut is not None and self._exact >= self._cut.limit:
            self._cut = None

    def _lower(self, limit: float, late: float, now_s: float) -> None:
        cut = self._cut
        if cut is None or late > cut.late:
            self._cut = _Cut(limit, late)
        elif limit <= cut.limit * JUDGED_AT:
            if cut.late - late < MUST_PAY * math.log(cut.limit / limit):
                self._accept(late)
                self._set(cut.limit)
                return
            self._cut = _Cut(limit, late)
        lowered = limit * (1 - SMOOTH * (1 - min(TOLERANCE * math.exp(-late), 1.0)))
        carried = self._carried(now_s)
        if carried is not None:
            lowered = max(lowered, carried)
        self._starting = False
        self._set(min(lowered, limit))

    def _carried(self, now_s: float) -> float | None:
        """Little's law: how many requests were served at once, less those that only waited."""
        span_s = now_s - self._opened_s
        if self._unhindered_s is None or self._ended < KNOWN_SAMPLES or span_s <= 0:
            return None
        return self._ended / span_s * self._unhindered_s

    def _accept(self, late: float) -> None:
        """The target is as slow as this by itself."""
        for usual in self._usual.values():
            usual.log_s += late
        if self._usual_s is not None:
            self._usual_s *= math.exp(late)
        self._late = 0.0
        self._cut = None

    def _set(self, limit: float) -> None:
        self._exact = min(max(limit, float(self._least)), float(self._most))
        self.limit = self.most_unanswered = int(self._exact)
        if self._usual_s is not None and self._unhindered_s:
            usual = self._exact * self._usual_s / self._unhindered_s
            self.most_unanswered = min(self.limit, math.ceil(max(2 * usual, LEAST_UNANSWERED)))

    def _begin(self, now_s: float) -> None:
        if self.limit != self._judged_limit:
            self._judged_limit = self.limit
            self._changed_s = now_s
        self._opened_s = now_s
        self._samples = self._peak = self._ended = 0
        self._sum_late = 0.0


_LOG_TOLERANCE = math.log(TOLERANCE)
_LOG_IDLE_TOLERANCE = math.log(IDLE_TOLERANCE)
