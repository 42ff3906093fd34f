"""guarding: what the guardrails of a route have found in one request, and what stands for it.

A placeholder is the same wherever the same thing stands in one request, question and answer alike.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn

from tidegate.core.guardrail import ACTIONS, FAILED, MOST_HITS, Action, Guardrail, Hit, Side
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.prepared_guardrails import Guard, Looking
from tidegate.gateway.restoring import MOST_NAME_CHARS, restored

log = logging.getLogger(__name__)

_NOT_NAME: Final = re.compile(r"[^A-Z0-9]+")
_WHERE: Final = {"input": "the request", "output": "the answer"}
_WHOLE: Final = "whole"
# (from, to, the guardrail, which type, what is done): of one text, in its order, none overlapping.
Found = tuple[int, int, Guard, str, Action]


class Guarding:
    """Of one request. `restored` has the thing for each placeholder that its caller gets back;
    `asked` is the body that came."""

    def __init__(self, receipt: Receipt, asked: bytes = b"") -> None:
        self.receipt = receipt
        self._asked = asked
        self._placeholders: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._written: dict[str, set[int]] = {}
        self._silent = False
        self.restored: dict[str, str] = {}

    @property
    def hits(self) -> list[Hit]:
        return self.receipt.guardrails

    def note(
        self, guardrail: Guardrail, side: Side, kind: str, action: str, score: float | None = None
    ) -> None:
        """Counts one thing found, on the receipt."""
        if self._silent:
            return
        for hit in self.hits:
            if (hit.guardrail, hit.side, hit.type, hit.action) == (
                guardrail.name,
                side,
                kind,
                action,
            ):
                hit.count += 1
                if score is not None:
                    hit.score = max(score, hit.score or 0.0)
                return
        if len(self.hits) < MOST_HITS:
            hit = Hit(guardrail.name, side, kind, action, score=score)
            self.receipt.guardrails = [*self.hits, hit]

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing is counted meanwhile: it has been."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def block(
        self, guardrail: Guardrail, side: Side, kind: str, score: float | None = None
    ) -> NoReturn:
        self.note(guardrail, side, kind, "block", score)
        what = f"{_WHERE[side]} was stopped by the guardrail {guardrail.name!r} ({kind})"
        raise Refusal("guardrail_blocked", what)

    def failed(self, guardrail: Guardrail, side: Side, why: str) -> None:
        """It could not look. Refusal where the plan has it fail closed."""
        self.note(guardrail, side, why, FAILED)
        if guardrail.on_error == "closed":
            what = f"the guardrail {guardrail.name!r} could not look through {_WHERE[side]} ({why})"
            raise Refusal("guardrail_unavailable", what, retry_after_s=1.0)

    def too_long(self, guardrail: Guardrail, side: Side, most: int) -> None:
        """It looks through no text of more than `most` characters, however often it is sent.
        Refusal where the plan has it fail closed."""
        self.note(guardrail, side, "too_long", FAILED)
        if guardrail.on_error == "closed":
            what = f"the guardrail {guardrail.name!r} looks through {most} characters at most"
            raise Refusal("guardrail_blocked", f"{what}, and {_WHERE[side]} has more")

    def placeholder(self, guardrail: Guardrail, side: Side, kind: str, thing: str) -> str:
        """What stands for it. Of its own request its caller may have it back."""
        known = self._placeholders.get((kind, thing))
        if known is None:
            name = _NOT_NAME.sub("_", kind.upper()).strip("_") or "REDACTED"
            name = name[:MOST_NAME_CHARS]
            if name not in self._written and guardrail.restores:
                self._written[name] = _written(name, self._asked)
            number, written = self._counts.get(name, 0) + 1, self._written.get(name, ())
            while number in written:
                number += 1
            self._counts[name] = number
            known = self._placeholders[kind, thing] = f"<{name}_{number}>"
        if guardrail.restores and side == "input":
            self.restored.setdefault(known, thing)
        return known

    def hidden(self, texts: Sequence[str]) -> list[str]:
        """These as they were before their caller got back what is its own."""
        things = sorted(self.restored.items(), key=lambda it: -len(it[1]))
        made = list(texts)
        for placeholder, thing in things:
            made = [text.replace(thing, placeholder) for text in made]
        return made

    def shown(
        self, texts: Sequence[str], hidden: Sequence[str], said: Sequence[str]
    ) -> tuple[str, ...]:
        """What is `said` instead of the `hidden` of these `texts`, as its caller gets it."""
        both = zip(texts, hidden, said, strict=True)
        return tuple(
            text if one == before else restored(one, self.restored) for text, before, one in both
        )

    def clean(self, text: str, looking: Looking) -> str:
        """A whole text as it may pass. Refusal where it may not."""
        if not looking.may_have(text):
            return text
        found = self.look(text, looking.every, looking.side)
        return self.replaced(text, found, looking.side)

    def look(self, text: str, guards: Sequence[Guard], side: Side) -> list[Found]:
        """What these find in it. Of what overlaps, what begins first; of what begins together, the
        gravest. What is redacted goes as far as the last of what overlaps."""
        found: list[Found] = []
        for guard in guards:
            if guard.may_have is not None and not guard.may_have(text):
                continue
            try:
                spans = guard.detector.find(text)
            except Exception as error:  # a plug's fault must not let a text pass unseen
                log.error("guardrail %s failed: %s", guard.guardrail.name, type(error).__name__)
                self.failed(guard.guardrail, side, "error")
                continue
            action_of = guard.guardrail.action_of
            found += [(start, end, guard, kind, action_of(kind)) for start, end, kind in spans]
        if len(found) < 2:
            return found
        found.sort(key=lambda it: (it[0], ACTIONS.index(it[4]), -it[1]))
        kept: list[Found] = []
        for one in found:
            if not kept or one[0] >= kept[-1][1]:
                kept.append(one)
            elif one[4] == "block" or (
                one[4] == "redact" and kept[-1][4] == "mark"
            ):  # whatever it overlaps, it is there
                kept[-1] = (kept[-1][0], max(one[1], kept[-1][1]), *one[2:])
            elif one[4] == kept[-1][4] == "redact" and one[1] > kept[-1][1]:
                kept[-1] = (kept[-1][0], one[1], *kept[-1][2:])  # nothing of either goes out
        return kept

    def replaced(self, text: str, found: Sequence[Found], side: Side) -> str:
        """What it finds is noted, and put right in the text. Refusal where that stops it."""
        pieces: list[str] = []
        at = 0
        for start, end, guard, kind, action in found:
            if action == "block":
                self.block(guard.guardrail, side, kind)
            self.note(guard.guardrail, side, kind, action)
            if action == "redact":
                begin = _unescaped(text, start)
                pieces += (
                    text[at:begin],
                    self.placeholder(guard.guardrail, side, kind, text[begin:end]),
                )
                at = end
        return "".join([*pieces, text[at:]]) if pieces else text


def _written(name: str, body: bytes) -> set[int]:
    """The numbers of such placeholders that a request has written itself, as those have that repeat
    an answer of which something was taken out: they stand for something else there."""
    return {int(it) for it in re.findall(rb"%b_(\d{1,4})(?!\d)" % name.encode(), body)}


def _unescaped(text: str, start: int) -> int:
    """Text that is JSON itself has line breaks as `\\n`: their letter is no part of anything."""
    before = start
    while before > 0 and text[before - 1] == "\\":
        before -= 1
    if (start - before) % 2 and text[start] in "nrtbf":
        return start + 1
    return start
