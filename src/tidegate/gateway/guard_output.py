"""guard_output: a route's guardrails look through its answers: live, kept, streamed, whole."""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from tidegate.core.ask import Answer, Ask
from tidegate.core.plugs import Dialect, Follower
from tidegate.core.rewriting import Rewriter, TextKind
from tidegate.gateway.guard_bodies import Body, said, without_sound
from tidegate.gateway.guard_input import asked, looked_at
from tidegate.gateway.guard_texts import cleaned, cleaned_json
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
            look = partial(self.texts_of, body, streamed=ask.stream)
            texts = await looked_at(len(body), look)
            if not texts:
                continue
            verdict = await asked(check, "output", guarding, texts, until_s)
            if verdict is not None:
                change = partial(self._instead, body, list(verdict.texts), streamed=ask.stream)
                body = await looked_at(len(body), change)
        return body

    def texts_of(self, body: bytes, *, streamed: bool) -> list[str]:
        """What is asked about, of a body or of some of a stream's events."""
        heard = Heard()
        if not streamed:
            self._body(body, heard.whole)
            return heard.take()
        rewriter = self.dialect.rewriter(heard)
        rewriter.feed(body)
        rewriter.end(b"")
        return heard.take()

    def _instead(self, body: bytes, texts: list[str], *, streamed: bool) -> bytes:
        came = self.texts_of(body, streamed=streamed)
        known = {old: new for old, new in zip(came, texts, strict=True) if old != new}

        def instead(text: str) -> str:
            return known.get(text, text)

        if not streamed:
            made = self._body(body, instead)
            return body if made is None else made
        rewriter = self.dialect.rewriter(Wholes(instead))
        return rewriter.feed(body) + rewriter.end(b"")


class Wholes:
    """core.rewriting.Texts: what each text becomes once whole, and where it is told again."""

    changes = True

    def __init__(self, made: Callable[[str], str]) -> None:
        self._made = made
        self._called: dict[str, str] = {}

    def channel(self, kind: TextKind, choice: int) -> "WholeChannel":
        del kind, choice
        return WholeChannel(self._made)

    def whole(self, text: str) -> str:
        return self._made(text)

    def called(self, choice: int, call: int, name: str, arguments: str) -> str:
        del choice, call, name
        made = cleaned_json(arguments, self._made)
        if made != arguments:
            self._called[arguments] = made
        return made

    def value(self, value: Any) -> Any:
        return cleaned(value, self._made, keeps_sealed=False)

    def again(self, value: Any) -> Any:
        return cleaned(value, self._made_again, keeps_sealed=False)

    def _made_again(self, text: str) -> str:
        made = self._called.get(text)
        return self._made(text) if made is None else made


class Heard:
    """core.rewriting.Texts that changes none, and hears each once: texts and calls as they end, and
    what is told beside them, or in an item that has not been told before."""

    changes = True

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._known = {""}

    def take(self) -> list[str]:
        """What was heard since."""
        texts, self._texts = self._texts, []
        return texts

    def channel(self, kind: TextKind, choice: int) -> "HeardChannel":
        del kind, choice
        return HeardChannel(self.whole, self._known)

    def whole(self, text: str) -> str:
        if text:
            self._texts.append(text)
            self._known.add(text)
        return text

    def called(self, choice: int, call: int, name: str, arguments: str) -> str:
        del choice, call, name
        return cleaned_json(arguments, self.whole)

    def value(self, value: Any) -> Any:
        return cleaned(value, self._once, keeps_sealed=False)

    def again(self, value: Any) -> Any:
        is_item = isinstance(value, dict) and isinstance(value.get("type"), str)
        return self.value(value) if is_item else value

    def _once(self, text: str) -> str:
        return text if text in self._known else self.whole(text)


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
        return self._flushed() if self.pieces else ""

    def end(self) -> str:
        return self._flushed()

    def _flushed(self) -> str:
        pieces, self.pieces = self.pieces, []
        return self._made("".join(pieces))


class HeardChannel(WholeChannel):
    """One that is known as a whole, too, once it has ended."""

    def __init__(self, made: Callable[[str], str], known: set[str]) -> None:
        super().__init__(made)
        self._known = known
        self._came: list[str] = []

    def add(self, text: str) -> str:
        self._came.append(text)
        return super().add(text)

    def end(self) -> str:
        self._known.add("".join(self._came))
        return super().end()
