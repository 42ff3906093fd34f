"""guarded_texts: what the texts of an answer become by the guardrails of its route, by the piece.

A match that lies across pieces is found as if it had come whole: of what has come, the shortest end
that may still become a part of one is held.
"""

from collections.abc import Sequence
from typing import Any, Final

from tidegate.core.ask import Said
from tidegate.core.guardrail import SentenceBuffer
from tidegate.core.plugs import Follower
from tidegate.core.rewriting import TextKind
from tidegate.gateway.guard_bodies import soundless
from tidegate.gateway.guard_texts import cleaned, cleaned_json
from tidegate.gateway.guarding import Found, Guarding
from tidegate.gateway.prepared_guardrails import Looking
from tidegate.gateway.restoring import Restoring, restored
from tidegate.text.sentences import Sentences

# Of what has gone out, so much is looked at again: some things are known by what stands before.
CONTEXT_CHARS: Final = 96
# Of a text that is only looked at as a whole.
MOST_WHOLE_CHARS: Final = 1024 * 1024
# A word that was cut in two at its beginning is left out of it.
_TORN_CHARS: Final = 32
# Digits of what was found belong to it, and begin nothing else.
_FOUND: Final = str.maketrans("0123456789", "_" * 10)


class GuardedTexts:
    """core.rewriting.Texts of one answer. `follower` is told of its first words on, as they go out,
    but for what only its caller gets back."""

    def __init__(
        self,
        guarding: Guarding | None,
        looking: Looking | None,
        buffer: SentenceBuffer | None,
        follower: Follower | None = None,
    ) -> None:
        self.guarding = guarding
        self.looking = looking
        self.buffer = buffer
        self.follower = follower
        self.restored = guarding.restored if guarding is not None else {}
        self.changes = looking is not None or bool(self.restored)

    def channel(self, kind: TextKind, choice: int) -> "GuardedChannel":
        return GuardedChannel(self, kind, choice)

    def whole(self, text: str) -> str:
        return restored(self.clean(text), self.restored)

    def called(self, choice: int, call: int, name: str, arguments: str) -> str:
        if self.looking is not None:
            arguments = cleaned_json(arguments, self.clean)
        if self.follower is not None:
            self.follower.called(choice, call, name, arguments)
        if not self.restored:
            return arguments
        return cleaned_json(arguments, lambda it: restored(it, self.restored))

    def value(self, value: Any) -> Any:
        if self.looking is not None and isinstance(value, dict):
            value = soundless(value)
        return cleaned(value, self.whole, keeps_sealed=False)

    def again(self, value: Any) -> Any:
        if self.guarding is None:
            return value
        with self.guarding.silent():
            return cleaned(value, self.whole, keeps_sealed=False)

    def clean(self, text: str) -> str:
        """Without what only its caller gets back."""
        if self.looking is None or self.guarding is None:
            return text
        return self.guarding.clean(text, self.looking)


def guarded_said(said: Said, guarding: Guarding, looking: Looking) -> Said:
    """A choice as it may be kept, which has been counted where it was looked at before."""
    texts = GuardedTexts(guarding, looking, None)
    with guarding.silent():
        calls = tuple((name, cleaned_json(it, texts.clean)) for name, it in said.calls)
        return Said(texts.clean(said.content), said.refused, calls, said.acts)


class GuardedChannel:
    """core.rewriting.Channel: guardrails, then what the caller gets back, then sentences."""

    __slots__ = (
        "_choice",
        "_context",
        "_held",
        "_kind",
        "_parts",
        "_restoring",
        "_sentences",
        "_texts",
        "_whole_chars",
    )

    def __init__(self, texts: GuardedTexts, kind: TextKind, choice: int) -> None:
        self._texts = texts
        self._kind = kind
        self._choice = choice
        self._held = self._context = ""
        self._parts: list[str] = []
        self._whole_chars = 0
        self._restoring = Restoring(texts.restored) if texts.restored else None
        buffered = texts.buffer is not None and kind == "content"
        self._sentences = (
            Sentences(texts.buffer.max_chars) if buffered and texts.buffer is not None else None
        )

    def add(self, text: str) -> str:
        looking = self._texts.looking
        if looking is not None and looking.running:
            text = self._settled(text, looking, ended=False)
        return self._passed(text) if text else ""

    def end(self) -> str:
        looking = self._texts.looking
        text = ""
        if self._held and looking is not None:
            text = self._settled("", looking, ended=True)
        shown = self._passed(text) if text else ""
        if looking is not None and looking.at_end and self._parts:
            self._judge(looking)
        if self._restoring is not None:
            rest = self._restoring.flush()
            shown += rest if self._sentences is None else self._sentences.add(rest)
        return shown + ("" if self._sentences is None else self._sentences.flush())

    def overdue(self) -> str:
        return "" if self._sentences is None else self._sentences.flush()

    @property
    def waiting(self) -> bool:
        return self._sentences is not None and self._sentences.waiting

    def _settled(self, text: str, looking: Looking, *, ended: bool) -> str:
        """What nothing that comes can make a part of a match, as it may go out."""
        guarding, since = self._texts.guarding, len(self._held)
        pending = self._held + text if since else text
        cut = len(pending)
        if not ended:
            for settled in looking.settled:
                cut = min(cut, settled(pending, since))
        if cut <= 0 or guarding is None:
            self._held = pending
            return ""
        context = self._context
        whole = context + pending if context else pending
        if not looking.may_have(whole):
            self._keep(pending, cut)
            return pending[:cut]
        offset = len(context)
        found: list[Found] = [
            (max(start - offset, 0), end - offset, guard, kind, action)
            for start, end, guard, kind, action in guarding.look(
                whole, looking.running, looking.side
            )
            if end > offset
        ]
        for start, end, _, _, _ in found:
            if start < cut < end:
                cut = start
        now = [one for one in found if one[1] <= cut]
        shown = guarding.replaced(pending[:cut], now, looking.side)
        self._keep(pending, cut, now)
        return shown

    def _keep(self, pending: str, cut: int, found: Sequence[Found] = ()) -> None:
        self._held = pending[cut:]
        shown = pending[:cut]
        for start, end, _, _, _ in found:
            if end > cut - CONTEXT_CHARS:
                shown = shown[:start] + shown[start:end].translate(_FOUND) + shown[end:]
        context = self._context + shown
        if len(context) > CONTEXT_CHARS:
            context = context[-CONTEXT_CHARS:]
            context = context[context.find(" ", 0, _TORN_CHARS) + 1 :]
        self._context = context

    def _passed(self, text: str) -> str:
        """Behind the guardrails that look at it as it comes."""
        texts = self._texts
        if texts.looking is not None and texts.looking.at_end:
            if self._whole_chars < MOST_WHOLE_CHARS:
                self._parts.append(text)
            self._whole_chars += len(text)
        if texts.follower is not None and self._kind == "content":
            texts.follower.content(self._choice, text)
        if self._restoring is not None:
            text = self._restoring.add(text)
        return text if self._sentences is None else self._sentences.add(text)

    def _judge(self, looking: Looking) -> None:
        """What is said of the whole. Nothing of it is changed any more."""
        guarding, whole = self._texts.guarding, "".join(self._parts)
        self._parts = []
        if guarding is not None and self._whole_chars > MOST_WHOLE_CHARS:
            for guard in looking.at_end:
                guarding.too_long(guard.guardrail, looking.side, MOST_WHOLE_CHARS)
        if guarding is not None and looking.may_have(whole):
            for one in guarding.look(whole, looking.at_end, looking.side):
                guarding.replaced(whole, [one], looking.side)
