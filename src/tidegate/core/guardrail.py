"""Guardrails: what looks through the texts of requests and answers, one file in `guardrails/` a
kind, and what a route has done about what they find. Pure: none of them waits for anybody.
"""

from collections.abc import Sequence
from typing import Final, Literal, Protocol, runtime_checkable

from msgspec import Struct

from tidegate.core.secret import SecretRef

# From the gravest: of several findings in one place the gravest counts.
Action = Literal["block", "redact", "mark"]
Side = Literal["input", "output"]
SIDES: Final[tuple[Side, ...]] = ("input", "output")
# Whose a text of a request is: asked by a user, or brought along by a tool or a document.
Source = Literal["asked", "brought"]
OnError = Literal["closed", "open"]
ACTIONS: Final[tuple[Action, ...]] = ("block", "redact", "mark")
# A hit's action where its guardrail could not look, and the plan has the text pass all the same.
FAILED: Final = "failed"
MOST_HITS: Final = 32


class Guardrail(Struct, frozen=True, omit_defaults=True):
    """One of the plan's guardrails, as a route obeys it. `kind` is the file in `guardrails/`.

    `actions` are of types that have another than `action`. `restores`: the caller gets back, in
    the answer, what stands for a thing of the request's. `sides` are where its kind can look. The
    rest is the kind's to read; by `by_sentence` an address is asked about a stream as its sentences
    come, and not at its end.
    """

    name: str
    kind: str
    action: Action
    actions: tuple[tuple[str, Action], ...] = ()
    on_error: OnError = "closed"
    restores: bool = False
    types: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    threshold: float | None = None
    url: str | None = None
    credential: SecretRef | None = None
    ca_file: str | None = None
    deadline_s: float = 1.0
    sides: tuple[Side, ...] = SIDES
    by_sentence: bool = False

    def action_of(self, kind: str) -> Action:
        if not self.actions:
            return self.action
        return next((action for name, action in self.actions if name == kind), self.action)


class SentenceBuffer(Struct, frozen=True, omit_defaults=True):
    """A stream's text goes out by the sentence; of one without an end so many characters are held,
    and so long."""

    max_chars: int = 600
    max_wait_s: float = 2.0


class RouteGuardrails(Struct, frozen=True, omit_defaults=True):
    """In the order in which they look."""

    input: tuple[Guardrail, ...] = ()
    output: tuple[Guardrail, ...] = ()


class Hit(Struct, omit_defaults=True):
    """On the receipt: what a guardrail found in one request, how often, and what was done. Never
    the text. `score`, from 0 to 1: the highest, where its guardrail tells one."""

    guardrail: str
    side: Side
    type: str
    action: str
    count: int = 1
    score: float | None = None


Span = tuple[int, int, str]  # from, to, which type; in characters


class Detector(Protocol):
    """One guardrail, ready. `hints` are patterns for an automaton without look-around and without
    word boundaries: where none of them is found in a text, nothing of it is. Without any, every
    text is looked at.

    `judges_whole`: it says of a text as a whole whether something is in it, so that of a stream it
    says so at its end.
    """

    @property
    def hints(self) -> Sequence[str]: ...

    @property
    def judges_whole(self) -> bool: ...

    def find(self, text: str) -> Sequence[Span]:
        """What is in it, in its order; none overlaps another."""

    def settled(self, text: str, since: int) -> int:
        """How much of a text that has grown from `since` on, and goes on growing, is held no more:
        nothing that is found later begins before that and ends behind it. As little is held as
        may be, and of text without end some thousand characters at the most."""


class Judged(Struct, frozen=True):
    """What a text is held to be, and how much speaks for it, from 0 to 1."""

    type: str
    score: float


@runtime_checkable
class SourceDetector(Protocol):
    """What a Detector has beside, to which it matters whose a text of a request is. By `judge` it
    is shown what users ask and what is brought along, and neither what the application says of its
    own nor earlier answers; its `find` is not asked. It looks at requests alone, and redacts
    nothing."""

    def judge(self, text: str, source: Source) -> Judged | None:
        """None where it is nothing of what is looked for."""


class Kind(Protocol):
    """A file in `guardrails/`. `reads` and `needs` are fields of Guardrail from `types` on;
    `actions` are those that it may have, the first the one that it has without a word. `types` are
    what it tells apart, where that is fixed, and `sides` where it can look. `remote`: it is an
    address that is asked."""

    reads: frozenset[str]
    needs: frozenset[str]
    actions: tuple[Action, ...]
    types: tuple[str, ...]
    sides: tuple[Side, ...]
    remote: bool

    def complaint(self, guardrail: Guardrail) -> str | None:
        """What is wrong with one of this kind that has all that it needs."""

    def detector(self, guardrail: Guardrail) -> Detector:
        """ValueError where it cannot be had. Not of a remote kind."""


class Verdict(Struct, frozen=True):
    """What an address says of the texts that it was asked about. `texts`, where they are there, are
    to stand in the place of those; as many. `types` say what it found."""

    action: Literal["allow", "block", "redact", "mark"]
    types: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Remote(Protocol):
    """What a remote Kind has beside: what is posted, and what its answer says. Pure."""

    def question(
        self, guardrail: Guardrail, side: Side, route: str, texts: Sequence[str], request_id: str
    ) -> bytes: ...

    def verdict(self, status: int, body: bytes, asked: int) -> Verdict:
        """ValueError where it is none for so many texts."""
