"""stream: relays an answer read by read, and measures what its user feels.

The relay runs inside the protocol's callback: one read from the provider, one write to the
client, nothing in between but reading how far the answer is. The request's coroutine sleeps
until the end. Until the first content token nothing is sent, so that an early failure can still
be a proper error; after it nothing changes any more.
"""

import asyncio
from collections.abc import Callable

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import StreamReader
from tidegate.core.rewriting import Rewriter, Screen
from tidegate.gateway.caching import Tape
from tidegate.gateway.contract import VIOLATION, Following, is_refused, is_truncated
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.answering import Answering
from tidegate.gateway.in_flight import InFlight, translate
from tidegate.text.tokens import MOST_BYTES_A_TOKEN

KEEPALIVE = b": keepalive\n\n"
# A start-up phase longer than this is no start-up phase: it is sent on.
MAX_HELD_BYTES = 256 * 1024
# As much of an answer as is held back until it is known to keep its contract.
MAX_WITHHELD_BYTES = 16 * 1024 * 1024
_TOO_LONG = "the answer is longer than what can be held back to be checked"
# What a few long tokens may be beyond the usual bound, so that no short answer is cut for them.
_LEEWAY_BYTES = 256
_PASSED = "the answer went on past the tokens that its budget held"


class Relay:
    """Between one provider's stream and one client. It is the client's client.Sink.

    `committed` says that the answer's head is out; it may have gone while the request was waiting.
    `flowing` says that something of the answer is: until then another may take its place. One that
    is `withheld` flows when it is known to keep its contract, which was at `shown_s`.
    What `ends_by_framing` has no mark of its own: a connection that is lost has cut it.
    `on_first` is told the time of the first content, `tape` hears all that comes. A `rewriter` says
    what of it goes out, and as what; what waits there for no more than a good place to be cut at
    goes out after `max_wait_s`.
    """

    __slots__ = (
        "_call",
        "_connection",
        "_done",
        "_head",
        "_held",
        "_most_bytes",
        "_terminal",
        "_waiting_s",
        "chunks",
        "committed",
        "ends_by_framing",
        "failure",
        "first_s",
        "flowing",
        "following",
        "itl_max_s",
        "last_s",
        "max_wait_s",
        "most_chunks",
        "on_first",
        "quiet_since_s",
        "reader",
        "rewriter",
        "screen",
        "shown_s",
        "sign_of_life",
        "tape",
        "withheld",
    )

    def __init__(
        self, call: InFlight, reader: StreamReader, connection: Answering, head: bytes
    ) -> None:
        self._call = call
        self._connection = connection
        self._head = head
        self._held: bytes | bytearray = b""
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reader = reader
        self.committed = self.flowing = False
        self.failure: Failure | Refusal | None = None
        self.most_chunks: int | None = None
        self._most_bytes = 0
        self.on_first: Callable[[float], None] | None = None
        self.chunks = 0
        self.first_s: float | None = None
        self.following: Following | None = None
        self.withheld = False
        self.shown_s: float | None = None
        self.last_s = 0.0
        self.itl_max_s = 0.0
        self.quiet_since_s = clock.monotonic_s()
        self.sign_of_life = KEEPALIVE
        self.ends_by_framing = False
        self.tape: Tape | None = None
        self.rewriter: Rewriter | None = None
        self.screen: Screen | None = None
        self.max_wait_s = 0.0
        self._waiting_s: float | None = None
        self._terminal: bytes | None = None

    def hold_to(self, most_tokens: int) -> None:
        """Ends the answer once it is longer than so many tokens: engines send one a chunk at least,
        and of providers that send many in one the text tells."""
        self.most_chunks = most_tokens
        self._most_bytes = most_tokens * MOST_BYTES_A_TOKEN + _LEEWAY_BYTES

    def hold_against(self, following: Following) -> None:
        """Has the answer followed by its route's contract, and held back where that says so."""
        self.following = self.reader.follower = following
        if not following.passes_on:
            self.withhold()

    def withhold(self) -> None:
        """Holds the answer back until it is whole."""
        if not self.withheld:
            self.withheld, self._held = True, bytearray(self._held)

    @property
    def sequence(self) -> int:
        """The number of the event that goes out next."""
        if self.screen is not None:
            return self.screen.sequence
        return self.reader.sequence if self.rewriter is None else self.rewriter.sequence

    def take_withheld(self) -> bytes:
        """All of an answer that has come to its end, of which nothing is out."""
        held, self._held = bytes(self._held), b""
        terminal, self._terminal = self._terminal, b""
        return held + (self.reader.terminal if terminal is None else terminal)

    def put_withheld(self, body: bytes) -> None:
        """What goes out in its place."""
        self._held = body

    async def run_screened(self, screen: Screen) -> None:
        """`run`, of an answer of which nothing goes out before `screen` has let it pass."""
        try:
            await self.run()
            terminal = self.reader.terminal if self._terminal is None else self._terminal
            self._terminal = await screen.end(terminal)
        finally:
            screen.close()
        if not self.flowing:
            self.shown_s = clock.monotonic_s()

    def pass_on(self, events: bytes, *, spoken: bool) -> None:
        """What has passed its screen. Before anything is `spoken` an answer has not begun."""
        now_s = clock.monotonic_s()
        if self.flowing:
            self._connection.write(events)
            self.quiet_since_s = now_s
            return
        self._held += events
        if spoken or len(self._held) > MAX_HELD_BYTES:
            self.shown_s = now_s
            self._flow(now_s)

    def stop(self, no: Failure | Refusal) -> None:
        """Ends an answer that must not go on."""
        self._end(no)

    async def run(self) -> None:
        """Relays until the end. Failure when the answer ends badly, or is none that may pass, sent
        or not: of a withheld answer nothing has been sent but comments."""
        upstream = self._call.live()
        self._connection.source = upstream
        if self._connection.paused_s is not None:
            upstream.pause()
        upstream.relay(self)
        try:
            await self._done
        finally:
            # Whom that connection serves next must not wait for this client's reading.
            self._connection.source = None
        if self.failure is not None:
            raise self.failure
        self._call.ended_s = self._call.last_s
        upstream.release()
        if self.following is not None:
            self._judge(self.following)
        if self.rewriter is not None:
            self._terminal = self.rewriter.end(self.reader.terminal)
        if self.withheld or (self.rewriter is not None and self.shown_s is None):
            self.shown_s = clock.monotonic_s()

    def _judge(self, following: Following) -> None:
        reader = self.reader
        failure = following.end(
            truncated=is_truncated(reader.finish_reason),
            called=reader.called,
            ended_twice=reader.ended_twice,
            refused=reader.refused or is_refused(reader.finish_reason),
        )
        if failure is not None:
            raise failure

    # the upstream connection calls these

    def on_data(self, data: bytes, chunk: bytes | None) -> None:
        now_s = clock.monotonic_s()
        reader = self.reader
        out = reader.feed(data)
        self._call.last_s = now_s
        if self.tape is not None:
            self.tape.add(data)
        chunks = reader.content_chunks
        if chunks != self.chunks:
            self.chunks = chunks
            if self.first_s is None:
                self.first_s = self._call.first_s = now_s
                if self.on_first is not None:
                    self.on_first(now_s)
            elif now_s - self.last_s > self.itl_max_s:
                self.itl_max_s = now_s - self.last_s
            self.last_s = now_s
            if self.most_chunks is not None and (
                chunks > self.most_chunks or reader.text_bytes() > self._most_bytes
            ):
                self._end(Refusal("insufficient_quota", _PASSED))
                return
            if out is data and chunk is not None and self.flowing and self.rewriter is None:
                self._connection.write_chunk(chunk, data)  # nothing more has come with it
                return
        if self.rewriter is not None:
            out = self._rewritten(self.rewriter, out, now_s)
            if self._done.done():
                return  # it was stopped, and nothing behind that goes out
        if out:
            if self.flowing:
                self._connection.write(out)
                self.quiet_since_s = now_s
            else:
                self._held += out
        failure = reader.failure
        # Of what broke its contract before anything of it was out, nothing goes out any more.
        if not self.flowing and (failure is None or failure.code.name != VIOLATION):
            self._while_held(now_s)
        if failure is not None:
            self._end(failure)
        elif reader.finished:
            self._end(None)

    def _rewritten(self, rewriter: Rewriter, out: bytes, now_s: float) -> bytes:
        """What goes out in its place. A refusal ends it."""
        if self._done.done():
            return b""
        try:
            out = rewriter.feed(out) if out else out
        except Refusal as no:
            self._end(no)
            return b""
        if self.screen is not None:
            self.screen.take(out)
        elif self.shown_s is None and rewriter.started and not self.withheld:
            self.shown_s = now_s
        if not rewriter.waiting:
            self._waiting_s = None
        elif out or self._waiting_s is None:
            self._waiting_s = now_s
        return out if self.screen is None else b""

    def _while_held(self, now_s: float) -> None:
        """What came is held still, or sent on now that the answer has begun."""
        if self.screen is not None:
            return  # which says when it has
        if self.withheld:
            if len(self._held) > MAX_WITHHELD_BYTES:
                self._end(Failure("malformed", "upstream_too_large", _TOO_LONG))
        elif len(self._held) > MAX_HELD_BYTES or (
            self.reader.started if self.rewriter is None else self.rewriter.started
        ):
            self._flow(now_s)

    def on_end(self) -> None:
        self._end(self.reader.end())

    def on_lost(self, error: UpstreamError) -> None:
        if error.kind == "lost" and not self.ends_by_framing and self.reader.end() is None:
            self._end(None)  # everything that matters had come
        else:
            self._end(translate(error))

    # the sweeper calls this

    def keep_alive(self, now_s: float, every_s: float) -> None:
        """A sign of life when the client has seen nothing for long, as `keep_alive` has it."""
        if self._done.done() and self.screen is None:
            return
        if self._waiting_s is not None and now_s - self._waiting_s >= self.max_wait_s:
            self._release_overdue(now_s)
        if now_s - self.quiet_since_s < every_s or not self.sign_of_life:
            return
        if self.first_s is not None and not self.withheld and self.rewriter is None:
            return
        if self.committed:
            self._connection.write(self.sign_of_life)
        else:
            self.committed = True
            self._connection.start(self._head, self.sign_of_life)
        self.quiet_since_s = now_s

    def _release_overdue(self, now_s: float) -> None:
        """What has waited too long for the end of a sentence."""
        assert self.rewriter is not None  # noqa: S101 - something waits in it
        self._waiting_s = None
        out = self.rewriter.overdue()
        if not out or self.withheld:
            self._held += out
            return
        if self.screen is not None:
            self.screen.take(out)
            return
        if self.shown_s is None:
            self.shown_s = now_s
        if not self.flowing:
            self._flow(now_s)
        self._connection.write(out)
        self.quiet_since_s = now_s

    def finish(self) -> None:
        """The answer's last bytes, once its receipt is safe."""
        if not self.flowing:
            self._flow(clock.monotonic_s())
        terminal = self._terminal
        self._connection.finish(self.reader.terminal if terminal is None else terminal)

    def _flow(self, now_s: float) -> None:
        """What was held back goes out, after the head where that has not gone before."""
        self.flowing = True
        self.quiet_since_s = now_s
        held, self._held = bytes(self._held), b""
        if not self.committed:
            self.committed = True
            self._connection.start(self._head, held)
        elif held:
            self._connection.write(held)

    def _end(self, failure: Failure | Refusal | None) -> None:
        if not self._done.done():
            self.failure = failure
            self._done.set_result(None)
