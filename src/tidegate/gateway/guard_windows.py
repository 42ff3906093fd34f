"""guard_windows: a stream whose sentences go out once addresses have said that they may.

One question is under way at a time, about all that has come since the one before; so everything
goes out in its order, and no answer takes more of them than `MOST_WINDOWS`. What comes after those
waits for the end of the stream, and is asked about as one.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.guard_input import asked
from tidegate.gateway.guard_output import GuardingOutput, Wholes
from tidegate.gateway.guard_texts import cleaned
from tidegate.gateway.stream import MAX_WITHHELD_BYTES, Relay

log = logging.getLogger(__name__)

MOST_WINDOWS: Final = 64
_TOO_LONG: Final = "the answer is longer than can be held back for a guardrail's address"


class Windows:
    """stream.Screen of one answer. `until_s` says until when its caller waits for what comes first
    (monotonic), and `on_change` hears that what goes out is not what was heard before."""

    def __init__(
        self,
        output: GuardingOutput,
        relay: Relay,
        until_s: Callable[[], float | None],
        on_change: Callable[[], None],
    ) -> None:
        self._output = output
        self._relay = relay
        self._until_s = until_s
        self._on_change = on_change
        self._pending = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._no: Refusal | Failure | None = None
        self._asked = 0
        self._texts = _Instead()
        self._rewriter = output.dialect.rewriter(self._texts)

    @property
    def sequence(self) -> int:
        return self._rewriter.sequence

    def take(self, events: bytes) -> None:
        if not events or self._no is not None:
            return
        self._pending += events
        if len(self._pending) > MAX_WITHHELD_BYTES:
            self._stop(Failure("malformed", "upstream_too_large", _TOO_LONG))
        elif self._task is None and self._asked < MOST_WINDOWS:
            self._task = asyncio.get_running_loop().create_task(self._ask())

    async def end(self, events: bytes) -> bytes:
        while self._task is not None:
            await asyncio.wait([self._task])
        if self._no is not None:
            raise self._no
        rest = bytes(self._pending) + events
        self._pending.clear()
        try:
            return (await self._passed(rest))[0]
        except (Refusal, Failure):
            self._on_change()
            raise

    def close(self) -> None:
        self._no = self._no or Refusal("client_closed", "nobody waits for the rest")
        self._pending.clear()
        if self._task is not None:
            self._task.cancel()

    async def _ask(self) -> None:
        """Has pass what is pending, until nothing is."""
        try:
            while self._pending and self._no is None and self._asked < MOST_WINDOWS:
                events = bytes(self._pending)
                self._pending.clear()
                passed, spoken = await self._passed(events)
                if self._no is None:
                    self._relay.pass_on(passed, spoken=spoken)
        except (Refusal, Failure) as no:
            self._stop(no)
        except Exception as error:  # of a plug: nothing that was not looked at goes out
            log.error("a stream could not be checked: %s", type(error).__name__)
            self._stop(Refusal("internal", "the gateway failed to complete the request"))
        finally:
            self._task = None

    def _stop(self, no: Refusal | Failure) -> None:
        self._no = self._no or no
        self._pending.clear()
        self._on_change()
        self._relay.stop(no)

    async def _passed(self, events: bytes) -> tuple[bytes, bool]:
        """(what may go out instead of these, whether any of it is text). Refusal or Failure."""
        looking, guarding = self._output.looking, self._output.guarding
        texts = self._output.texts_of(events, streamed=True)
        if not texts or looking is None or guarding is None:
            return self._written(events, {}), False
        came = texts
        for check in looking.checks:
            self._asked += 1
            until_s = None if self._relay.flowing else self._until_s()
            verdict = await asked(check, "output", guarding, texts, until_s)
            if verdict is not None:
                texts = list(verdict.texts)
        instead = {old: new for old, new in zip(came, texts, strict=True) if old != new}
        return self._written(events, instead), True

    def _written(self, events: bytes, instead: dict[str, str]) -> bytes:
        """The events with other texts in the place of these, and of those that were told before."""
        if instead:
            self._on_change()
        self._texts.instead = instead
        self._texts.told |= instead
        return self._rewriter.feed(events) + self._rewriter.overdue()


class _Instead(Wholes):
    """What the texts of one window become, and those that are told again of any."""

    def __init__(self) -> None:
        super().__init__(self._now, told_again=True)
        self.instead: dict[str, str] = {}
        self.told: dict[str, str] = {}

    def _now(self, text: str) -> str:
        return self.instead.get(text, text)

    def again(self, value: Any) -> Any:
        return cleaned(value, self._again, keeps_sealed=False)

    def _again(self, text: str) -> str:
        for old, new in self.told.items():
            text = text.replace(old, new)
        return text
