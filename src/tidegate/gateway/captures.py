"""captures: what was said in some of a route's requests is kept for operators, after settle.

A request whose route captures nothing pays for one look. What is kept of another waits in memory,
is redacted and written beside the loop, and is dropped where there is no room: a request never is.
"""

import asyncio
import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from msgspec.structs import replace

from tidegate.core import clock, plugs
from tidegate.core.ask import Ask
from tidegate.core.capture import Capture, encode_captured
from tidegate.core.conversation_place import conversation_place, named_session
from tidegate.core.frames import MAX_FRAME_BYTES
from tidegate.core.kept_answer import KeptAnswer
from tidegate.core.receipt import Receipt
from tidegate.gateway.again import Again, Beside
from tidegate.gateway.capturing import Capturing, Personal, question_of, record
from tidegate.gateway.guarded_texts import guarded_said
from tidegate.gateway.heard import Heard
from tidegate.gateway.progress import Progress
from tidegate.gateway.size import note_conversation
from tidegate.gateway.spool import Spool

log = logging.getLogger(__name__)

# As much waits to be redacted.
MAX_WAITING_BYTES: Final = 8 * 1024 * 1024
# As much lies on disk until the recorder has taken it.
MAX_SPOOL_BYTES: Final = 256 * 1024 * 1024
_KEPT_PATTERNS: Final = 256


class Captures:
    """Of one gateway process. `dropped` counts, by reason, those that were drawn and not kept."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.kept = 0
        self.dropped: Counter[str] = Counter()
        self._waiting_bytes = 0
        self._guard = threading.Lock()
        self._personal: dict[Capture, Personal] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="captures")

    def draw(self, ask: Ask, receipt: Receipt, capture: Capture) -> Capturing | None:
        """The question, where this request is to be kept."""
        note_conversation(ask, receipt)
        place = conversation_place(receipt)
        if not capture.wants(receipt, place):
            return None
        found = question_of(ask, capture)
        if found is None:
            return None
        if found.asked_bytes > capture.max_bytes:
            self._drop("too_long")
            return None
        # Where its provider keeps the answer, the next turn may come without what was said before.
        if place is not None and (ask.renamed is None or named_session(receipt) is not None):
            found.conversation = f"{place:016x}"
        return found

    def gave(self, progress: Progress, kept: KeptAnswer) -> None:
        """A request that is given a kept answer is captured like any other, where it is drawn."""
        ask, route = progress.ask, progress.route
        if ask is None or route is None or route.route.capture is None:
            return
        if progress.capturing is None:
            progress.capturing = self.draw(ask, progress.receipt, route.route.capture)
        if progress.capturing is not None:
            progress.capturing.again = _again(progress, kept)

    def take(self, progress: Progress) -> None:
        """Keeps a settled request of which anything was answered. Never raises, never waits."""
        capturing, receipt, relay = progress.capturing, progress.receipt, progress.relay
        if capturing is None:
            return
        capturing.beside = _beside(progress)
        heard: Heard | None
        if capturing.again is not None:
            answered, heard = receipt.error_code is None, Heard(0)
        elif relay is not None:
            answered = receipt.error_code is None or (relay.flowing and relay.chunks > 0)
            heard = capturing.heard
        else:
            answered, heard = receipt.error_code is None, _whole(progress, capturing)
        if not answered or heard is None:
            return
        size = capturing.asked_bytes + capturing.kept_bytes + len(heard.text)
        with self._guard:
            full = self._waiting_bytes + size > MAX_WAITING_BYTES
            self._waiting_bytes += 0 if full else size
        if full:
            self._drop("busy")
            return
        # The answer's last bytes go first.
        loop = asyncio.get_running_loop()
        loop.call_soon(self._thread.submit, self._keep, (capturing, heard, receipt, size))

    def close(self) -> None:
        """Writes what waits. Blocking."""
        self._thread.shutdown(wait=True)
        self.spool.close()

    def _keep(self, taken: tuple[Capturing, Heard, Receipt, int]) -> None:
        """In the thread. What goes wrong is told without what was said."""
        capturing, heard, receipt, size = taken
        try:
            if capturing.again is not None:
                again = capturing.again.heard(capturing.capture.max_bytes)
                if again is None:
                    self._drop("unreadable")
                    return
                heard = again
            made = record(capturing, heard, receipt, self._of(capturing.capture))
            payload = encode_captured(made)
            if made.kept is not None and len(payload) > MAX_FRAME_BYTES:
                payload = encode_captured(replace(made, kept=None))
            if len(payload) > MAX_FRAME_BYTES:
                self._drop("too_long")
            elif self.spool.append(payload, clock.monotonic_s()):
                self.kept += 1
            else:
                self._drop("full")
        except Exception as error:
            self._drop("unreadable")
            log.error("request %s is not captured: %s", receipt.id, type(error).__name__)
        finally:
            with self._guard:
                self._waiting_bytes -= size

    def _of(self, capture: Capture) -> Personal:
        found = self._personal.get(capture)
        if found is None:
            if len(self._personal) >= _KEPT_PATTERNS:
                self._personal.clear()
            made = plugs.load("text", "personal")
            found = self._personal[capture] = made(capture.redact, capture.words)
        return found

    def _drop(self, why: str) -> None:
        with self._guard:
            self.dropped[why] += 1


def _again(progress: Progress, kept: KeptAnswer) -> Again | None:
    """None where this plan does not read it any more."""
    ask, route = progress.ask, progress.route
    cache = None if route is None else route.cache
    provider = None if cache is None else cache.providers.get(kept.target)
    if ask is None or provider is None:
        return None
    guardrails = None if route is None else route.guardrails
    clean = None
    if progress.guarding is not None and guardrails is not None and guardrails.output is not None:
        clean = partial(guarded_said, guarding=progress.guarding, looking=guardrails.output)
    return Again(ask, kept, provider, clean)


def _beside(progress: Progress) -> Beside | None:
    """The kept question that this one was found to be like, and where it had another, its
    answer."""
    like = None if progress.caching is None else progress.caching.like
    if like is None:
        return None
    receipt, kept = progress.receipt, like.found.answer
    near = None if progress.caching is None else progress.caching.near
    how = like.question, like.score, kept.receipt_id, "" if near is None else near.compared_by
    if receipt.is_kept_answer:
        if receipt.cache_from != kept.receipt_id:
            return None  # it had what another tier keeps
        return Beside(*how)
    answer = _again(progress, kept)
    if answer is None:
        return None
    return Beside(*how, like.veto, answer)


def _whole(progress: Progress, capturing: Capturing) -> Heard | None:
    answer = progress.answer
    if answer is None or not answer.said:
        return None
    heard = Heard(capturing.capture.max_bytes)
    heard.take(answer.said[0])
    return heard
