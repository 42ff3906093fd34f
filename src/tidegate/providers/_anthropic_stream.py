"""Follows a stream of Anthropic's Messages without changing a byte of it.

What is forwarded are the bytes that came. Kept back are `message_stop`, until the receipt is
journalled, and whatever follows it.
"""

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.core.spoken import FINISH_REASONS
from tidegate.providers._anthropic_wire import (
    MESSAGE_STOP,
    REASONS,
    Course,
    Step,
    payload_of,
)
from tidegate.providers._calls import text_of
from tidegate.providers._passing_reader import PassingReader


class AnthropicStreamReader(PassingReader):
    """core.plugs.StreamReader for Anthropic's own callers."""

    __slots__ = ("_calls", "_course", "_inputs")

    sequence = 0  # this wire numbers no events
    # Prices of other classes of service are not told apart on this wire.
    service_tier: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self._course = Course()
        # By a block's index: which call it is, and the arguments that came with its beginning.
        self._calls: dict[int, int] = {}
        self._inputs: dict[int, bytes] = {}

    @property
    def called(self) -> bool:
        return bool(self._calls)

    @property
    def surplus_events(self) -> int:
        return self._course.surplus_events

    @property
    def usage(self) -> Usage | None:
        return self._course.usage

    @property
    def finish_reason(self) -> str | None:
        """Its name on OpenAI's wire, where it has one: receipts of all targets speak alike."""
        told = self._course.stop_reason
        return FINISH_REASONS[REASONS[told]] if told in REASONS else told

    @property
    def model_served(self) -> str | None:
        return None if self._course.told is None else self._course.told.model

    @property
    def provider_request_id(self) -> str | None:
        return None if self._course.told is None else self._course.told.id

    def end(self) -> Failure | None:
        """What is missing at the connection's end; None after a proper finish."""
        if self.failure is not None or self.finished:
            return self.failure
        rest = self._splitter.flush()
        shown = self._take_rest(rest.rstrip(b"\n") + b"\n\n")
        if not self.finished:
            self._course.end()
            self.failure, self.finished = self._course.failure, self._course.finished
            if self.finished:
                self.terminal = shown + MESSAGE_STOP
        return self.failure

    def _take_rest(self, rest: bytes) -> bytes:
        """Reads the last event where only its blank line is missing; cut within, it is none."""
        if payload_of(rest) is None:
            return b""
        shown = self._take(rest)
        failure = self._course.failure
        if failure is not None and failure.kind == "malformed":
            self._course.failure = self.failure = None
            return b""
        return shown

    def _take(self, event: bytes) -> bytes:
        course = self._course
        over = course.finished or self.failure is not None or course.failure is not None
        told = course.take(event)
        if over:
            self.ended_twice = course.ended_twice
            return b""
        if told is not None:
            broken = self._tell(told)
            self._note(told)
            if broken is not None:
                self.failure = broken
                return b""
        if course.failure is not None:
            self.failure = course.failure
            return b""
        if course.finished:
            self.finished = True
            self.terminal = event
            return b""
        return event

    def _tell(self, told: Step) -> Failure | None:
        """Of content and calls, before they are written down; what ends the answer."""
        block, delta, follower = told.content_block, told.delta, self.follower
        if block is not None and block.type == "tool_use":
            number = self._calls.setdefault(told.index, len(self._calls))
            self._inputs[told.index] = bytes(block.input)
            return follower.called(0, number, block.name or "", "") if follower else None
        if told.type == "content_block_stop" and told.index in self._inputs:
            # Its arguments came with its beginning, or there are none.
            try:
                whole = text_of(self._inputs.pop(told.index))
            except Failure as failure:
                return failure
            number = self._calls[told.index]
            return follower.called(0, number, "", whole) if follower else None
        text = delta.text if delta is not None else block.text if block is not None else None
        if text:
            if self._content_at is None:
                self._content_at = len(self._text)
            return follower.content(0, text) if follower else None
        if delta is not None and delta.partial_json and told.index in self._calls:
            self._inputs.pop(told.index, None)
            number = self._calls[told.index]
            return follower.called(0, number, "", delta.partial_json) if follower else None
        return None

    def _note(self, told: Step) -> None:
        delta = told.delta
        if told.type == "content_block_delta" and delta is not None:
            text = delta.text or delta.thinking or delta.partial_json
        elif told.content_block is not None:
            block = told.content_block
            text = block.text or block.thinking or (block.name if block.type != "text" else None)
        else:
            return
        if text:
            self._keep(text.encode())
