"""An attempt in flight: what the sweeper watches and what settle reads."""

from math import inf

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.receipt import Attempt
from tidegate.core.resilience import Deadlines
from tidegate.core.setters import plain_setters
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream

AT_ONCE_S = 0.1


@plain_setters
class InFlight(Struct, eq=False):
    """One exchange with one replica. Times are monotonic seconds.

    `stale` is the exchange before it, over a kept connection that was closed as it was used, or by
    a token that its provider took no more.
    `provider_worked` holds from the moment that the provider has our request until it says that
    it will not serve it. Whatever its deadlines say, nobody waits for its first token after
    `until_first_s`, nor for its end after `until_whole_s`.
    """

    attempt: Attempt
    deadlines: Deadlines
    stream: bool
    started_s: float
    stale: "InFlight | None" = None
    upstream: Upstream | None = None
    queue_s: float = 0.0
    sent_s: float | None = None
    first_s: float | None = None
    last_s: float = 0.0
    ended_s: float | None = None
    provider_worked: bool = False
    until_first_s: float = inf
    until_whole_s: float = inf

    def send(self, upstream: Upstream, request: bytes, max_bytes: int) -> None:
        self.upstream = upstream
        self.sent_s = self.last_s = clock.monotonic_s()
        self.provider_worked = True
        upstream.send(request, max_bytes)

    def take_body(self) -> bytes:
        """The whole answer; the connection goes back to its pool."""
        upstream = self.live()
        body = upstream.body()
        self.ended_s = clock.monotonic_s()
        upstream.release()
        return body

    def live(self) -> Upstream:
        """The connection of an exchange that has been sent."""
        if self.upstream is None:
            raise RuntimeError("the exchange has not begun")
        return self.upstream

    def end(self) -> None:
        """The exchange is over; drops the connection unless it has gone back already.

        A provider that is still at work sees it and stops working for nobody.
        """
        if self.ended_s is None:
            self.ended_s = clock.monotonic_s()
            if self.upstream is not None:
                self.upstream.close()

    def ended_at_once(self) -> bool:
        """So soon after it was sent that nobody can have begun to work on it."""
        if self.sent_s is None or self.ended_s is None:
            return False
        return self.ended_s - self.sent_s <= AT_ONCE_S

    def cut_short(self) -> None:
        """The gateway ends: so does the exchange, and its client is told."""
        if self.upstream is not None and self.ended_s is None:
            self.upstream.fail(UpstreamError("draining", "the gateway is shutting down"))

    def sweep(self, now_s: float) -> None:
        """Fails the exchange when one of its deadlines has passed."""
        upstream, deadlines = self.upstream, self.deadlines
        if upstream is None or self.sent_s is None or self.ended_s is not None:
            return  # still connecting, which has a deadline of its own, or somebody else's now
        if now_s - self.started_s > deadlines.total_s:
            passed = f"was not whole within {deadlines.total_s:g} s"
        elif now_s > self.until_whole_s:
            passed = f"was not whole within {self.until_whole_s - self.started_s:.3g} s"
        elif not self.stream:
            return
        elif self.first_s is None:
            if now_s > self.until_first_s:
                waited_s = self.until_first_s - self.started_s
            elif now_s - self.sent_s > deadlines.first_token_s:
                waited_s = deadlines.first_token_s
            else:
                return
            passed = f"had no first token within {waited_s:.3g} s"
        elif now_s - max(self.last_s, upstream.resumed_s) > deadlines.gap_s and not upstream.paused:
            passed = f"paused for more than {deadlines.gap_s:g} s"
        else:
            return
        upstream.fail(UpstreamError("deadline", f"the answer {passed}"))


def translate(error: UpstreamError) -> Failure | Refusal:
    """A connection's error in the house's words."""
    message = str(error)
    if error.kind == "deadline":
        return Failure("timeout", "upstream_timeout", message)
    if error.kind == "draining":
        return Refusal("draining", message)
    if error.kind == "too_large":
        return Failure("malformed", "upstream_too_large", message)
    if error.kind == "malformed":
        return Failure("malformed", "upstream_malformed", message)
    if error.clean:
        return Failure("unavailable", "upstream_unreachable", f"{message} before it answered")
    return Failure("interrupted", "upstream_interrupted", message)
