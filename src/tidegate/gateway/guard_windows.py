"""guard_windows: a stream whose sentences go out once addresses have said that they may.

One question is under way at a time, about all that has come since the one before; so everything
goes out in its order, and no answer takes more of them than `MOST_WINDOWS`. What comes after those
waits for the end of the stream, and is asked about as one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Dialect
from tidegate.core.rewriting import TextKind
from tidegate.gateway.guard_input import asked
from tidegate.gateway.guard_output import GuardingOutput, WholeChannel, Wholes
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
        self._replacing = Replacing(output.dialect)

    @property
    def sequence(self) -> int:
        return self._replacing.sequence

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
            return self._replacing.written(events, {}), False
        came = texts
        for check in looking.checks:
            self._asked += 1
            until_s = None if self._relay.flowing else self._until_s()
            verdict = await asked(check, "output", guarding, texts, until_s)
            if verdict is not None:
                texts = list(verdict.texts)
        instead = {old: new for old, new in zip(came, texts, strict=True) if old != new}
        if instead:
            self._on_change()
        return self._replacing.written(events, instead), True


class Replacing:
    """The events of one stream, window by window, with other texts in the place of some."""

    def __init__(self, dialect: Dialect) -> None:
        self._texts = _Instead()
        self._rewriter = dialect.rewriter(self._texts)

    @property
    def sequence(self) -> int:
        return self._rewriter.sequence

    def written(self, events: bytes, instead: Mapping[str, str]) -> bytes:
        """These events. What was replaced in those before is so too where it is told again."""
        self._texts.told |= instead
        return self._rewriter.feed(events) + self._rewriter.overdue()


class _Instead(Wholes):
    """What texts become: those of a window, and those that are told again of any before."""

    def __init__(self) -> None:
        super().__init__(self._now, told_again=True)
        self.told: dict[str, str] = {}
        self._channels: list[_Remembering] = []

    def _now(self, text: str) -> str:
        return self.told.get(text, text)

    def again(self, value: Any) -> Any:
        return cleaned(value, self._again, keeps_sealed=False)

    def channel(self, kind: TextKind, choice: int) -> WholeChannel:
        del kind, choice
        self._channels.append(found := _Remembering(self._now))
        return found

    def _again(self, text: str) -> str:
        if not self.told:
            return text
        for channel in self._channels:
            if "".join(channel.came) == text:
                return "".join(channel.shown)
        for old, new in self.told.items():  # some of it, or what was told in another way
            text = text.replace(old, new)
        return text


class _Remembering(WholeChannel):
    """A text that is told again when it is whole."""

    def __init__(self, made: Callable[[str], str]) -> None:
        super().__init__(made)
        self.came: list[str] = []
        self.shown: list[str] = []

    def end(self) -> str:
        self.came += self.pieces
        shown = super().end()
        self.shown.append(shown)
        return shown
