"""guard_output: a route's guardrails look through its answers: live, kept, streamed, whole."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from tidegate.core.ask import Answer, Ask
from tidegate.core.plugs import Dialect, Follower
from tidegate.core.rewriting import Rewriter, TextKind
from tidegate.gateway.guard_bodies import Body, said, without_sound
from tidegate.gateway.guard_input import asked
from tidegate.gateway.guard_texts import cleaned
from tidegate.gateway.guarded_texts import GuardedTexts, guarded_said
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.prepared_guardrails import PreparedGuardrails


class GuardingOutput:
    """What one request's answer has to pass, whose texts stand as in a `body`."""

    def __init__(
        self,
        guarding: Guarding | None,
        prepared: PreparedGuardrails,
        dialect: Dialect,
        body: Body = said,
    ) -> None:
        self.guarding = guarding
        self.looking = None if guarding is None else prepared.output
        self.dialect = dialect
        self._prepared = prepared
        self._body = body

    @property
    def changes(self) -> bool:
        restores = self.guarding is not None and bool(self.guarding.restored)
        return self.looking is not None or restores

    @property
    def max_wait_s(self) -> float:
        return 0.0 if self._prepared.buffer is None else self._prepared.buffer.max_wait_s

    @property
    def asks(self) -> bool:
        """Whether addresses are asked about a stream by the sentence."""
        return self.looking is not None and self.looking.asks_by_sentence

    @property
    def withholds(self) -> bool:
        return self.looking is not None and self.looking.withholds

    def rewriter(self, follower: Follower | None = None) -> Rewriter | None:
        """Of a stream; None where it passes as it comes."""
        buffer = None if self.withholds else self._prepared.buffer
        if not self.changes and buffer is None:
            return None
        return self.dialect.rewriter(GuardedTexts(self.guarding, self.looking, buffer, follower))

    def whole(self, body: bytes) -> bytes:
        """A whole answer's body as it may pass. Refusal."""
        if not self.changes:
            return body
        texts = GuardedTexts(self.guarding, self.looking, None)
        if self.looking is not None and self._body is said:
            body = without_sound(body)
        made = self._body(body, texts.whole)
        return body if made is None else made

    def kept(self, body: bytes, *, streamed: bool) -> bytes:
        """A kept answer's. Refusal."""
        if not streamed or not self.changes:
            return self.whole(body)
        rewriter = self.dialect.rewriter(GuardedTexts(self.guarding, self.looking, None))
        return rewriter.feed(body) + rewriter.end(b"")

    def answer(self, answer: Answer) -> Answer:
        """What is told of it beside its body, with the same in it."""
        guarding, looking = self.guarding, self.looking
        if guarding is None or looking is None:
            return answer
        guarded = tuple(guarded_said(one, guarding, looking) for one in answer.said)
        return replace(answer, said=guarded)

    async def check(self, body: bytes, ask: Ask, until_s: float | None) -> bytes:
        """The same body, or what addresses say is to go out instead. Refusal; Failure where its
        caller waits no longer."""
        looking, guarding = self.looking, self.guarding
        if looking is None or guarding is None:
            return body
        for check in looking.checks:
            texts = self.texts_of(body, streamed=ask.stream)
            if not texts:
                continue
            verdict = await asked(check, "output", guarding, texts, until_s)
            if verdict is not None:
                body = self._instead(body, list(verdict.texts), streamed=ask.stream)
        return body

    def texts_of(self, body: bytes, *, streamed: bool) -> list[str]:
        """What is asked about, of a body or of some of a stream's events."""
        heard: list[str] = []

        def hear(text: str) -> str:
            if text:
                heard.append(text)
            return text

        if not streamed:
            self._body(body, hear)
            return heard
        rewriter = self.dialect.rewriter(Wholes(hear, told_again=False))
        rewriter.feed(body)
        rewriter.end(b"")
        return heard

    def _instead(self, body: bytes, texts: list[str], *, streamed: bool) -> bytes:
        known = dict(zip(self.texts_of(body, streamed=streamed), texts, strict=True))

        def instead(text: str) -> str:
            return known.get(text, text)

        if not streamed:
            made = self._body(body, instead)
            return body if made is None else made
        rewriter = self.dialect.rewriter(Wholes(instead, told_again=True))
        return rewriter.feed(body) + rewriter.end(b"")


class Wholes:
    """core.rewriting.Texts that hears each text once it is whole, and says what it becomes; also of
    those that are `told_again`."""

    changes = True

    def __init__(self, made: Callable[[str], str], *, told_again: bool) -> None:
        self._made = made
        self._told_again = told_again

    def channel(self, kind: TextKind, choice: int) -> "WholeChannel":
        del kind, choice
        return WholeChannel(self._made)

    def whole(self, text: str) -> str:
        return self._made(text)

    def called(self, choice: int, call: int, name: str, arguments: str) -> str:
        del choice, call, name
        return self.whole(arguments)

    def value(self, value: Any) -> Any:
        return value

    def again(self, value: Any) -> Any:
        return cleaned(value, self._made, keeps_sealed=False) if self._told_again else value


class WholeChannel:
    """core.rewriting.Channel: nothing of it goes out before all has come that is to be looked at
    as one."""

    waiting = False

    def __init__(self, made: Callable[[str], str]) -> None:
        self._made = made
        self.pieces: list[str] = []

    def add(self, text: str) -> str:
        self.pieces.append(text)
        return ""

    def overdue(self) -> str:
        return self.end() if self.pieces else ""

    def end(self) -> str:
        pieces, self.pieces = self.pieces, []
        return self._made("".join(pieces))
