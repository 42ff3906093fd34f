"""What graders of an answer's text have in common: options by their type, and no answer is an
error."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from tidegate.core.grading import Answered, Ask, Case, Grade, Marking
from tidegate.core.words import nearest, quoted

O = TypeVar("O", bound=Struct)  # noqa: E741 - options
Mark = Callable[[Case, Answered, O], Grade]
# Longer answers are not graded: no contract allows them, and time has to be bounded.
MAX_CHARS = 1_000_000


class Plain(Generic[O]):
    """core.grading.Pure by a pure function. `options` is a Struct that says what may be written;
    `also_wrong` what types cannot say. `reads_text`: it needs an answer with a text."""

    asks = False

    def __init__(
        self,
        options: type[O],
        mark: Mark[O],
        also_wrong: Callable[[O], str | None] | None = None,
        *,
        reads_text: bool = True,
    ) -> None:
        self._options = options
        self._mark = mark
        self._also_wrong = also_wrong
        self._reads_text = reads_text

    @property
    def options(self) -> type[O]:
        return self._options

    def wrong(self, options: Mapping[str, Any]) -> str | None:
        return wrong(self._options, options, self._also_wrong)

    def marking(self, options: Mapping[str, Any]) -> Marking:
        """`core.grading.Pure`."""
        said = self.wrong(options)
        read = None if said is not None else msgspec.convert(options, self._options)
        mark, reads_text = self._mark, self._reads_text

        def marked(case: Case, answered: Answered) -> Grade:
            if reads_text and (missing := unanswered(answered)) is not None:
                return missing
            if read is None:
                return Grade("error", why=said or "")
            return mark(case, answered, read)

        return marked

    async def grade(
        self, case: Case, answered: Answered, options: Mapping[str, Any], ask: Ask | None
    ) -> Grade:
        return self.marking(options)(case, answered)


def unanswered(answered: Answered) -> Grade | None:
    """The error that an answer without a whole text is."""
    if answered.failure is not None:
        return Grade("error", why=f"there is no answer: {answered.failure}")
    if answered.output is None:
        return Grade("error", why="there is no answer")
    if len(answered.output) > MAX_CHARS:
        return Grade("error", why=f"the answer is longer than {MAX_CHARS} characters")
    try:
        answered.output.encode()
    except UnicodeEncodeError:
        return Grade("error", why="the answer is not text: it holds half a character")
    return None


def wrong(
    cls: type[O], options: Mapping[str, Any], also: Callable[[O], str | None] | None
) -> str | None:
    """What is wrong with options as they are written, in words for who wrote them."""
    known = _names(cls)
    for name in options:
        if name not in known:
            near = nearest(name, known) or f"; there are {', '.join(known) or 'none'}"
            return f"unknown option {quoted(name)}{near}"
    try:
        read = msgspec.convert(options, cls)
    except msgspec.ValidationError as error:
        return str(error)
    return None if also is None else also(read)


@lru_cache(maxsize=64)
def _names(cls: type[Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in fields(cls))


def passed(ok: bool, why: str) -> Grade:
    """All or nothing."""
    return Grade("pass" if ok else "fail", float(ok), why)


def graded(score: float, threshold: float, what: str) -> Grade:
    """By a score of which enough is asked."""
    score = min(1.0, max(0.0, score))
    verdict = f"{what} {score:.3g}, and {threshold:g} is asked"
    return Grade("pass" if score >= threshold else "fail", score, verdict)


def expected_text(case: Case) -> str | None:
    """What the case expects, as text: a JSON string's own, or any other JSON as it is written."""
    if case.expected is None:
        return None
    value = msgspec.json.decode(case.expected)
    return value if isinstance(value, str) else bytes(case.expected).decode()


def expected_texts(case: Case) -> tuple[str, ...]:
    """The texts of which one is expected: one, or those of a list."""
    if case.expected is None:
        return ()
    value = msgspec.json.decode(case.expected)
    if isinstance(value, list):
        return tuple(v if isinstance(v, str) else msgspec.json.encode(v).decode() for v in value)
    return (value if isinstance(value, str) else bytes(case.expected).decode(),)
