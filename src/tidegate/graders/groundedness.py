"""What the answer says stands in the context that the case gives: its words, numbers and names.

Without a model, and so about words and not about meaning: a sentence that says the opposite in the
same words passes. `judge_rubric` with the preset `faithfulness` asks a model instead.
"""

import re
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._plain import Plain, graded
from tidegate.graders._words import words
from tidegate.graders.numeric import numbers
from tidegate.text.language_profiles import STOP_WORDS

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+")  # noqa: RUF001 - those of CJK
_NAME = re.compile(r"(?<=[^\s.!?:\"'(*#-] )[A-ZÀ-Þ][\w'-]*+(?: [A-ZÀ-Þ][\w'-]*+)*+")
_FEW_WORDS = 3
MAX_SENTENCES = 2_000
_SMALL = frozenset(word for listed in STOP_WORDS.values() for word in listed)
_Share = Annotated[float, Meta(ge=0, le=1)]


class Options(Struct, frozen=True, omit_defaults=True):
    """`threshold`: so much of the sentences has to stand in the context. A sentence does when
    `coverage` of its words are there, and all of its `numbers` and `names`."""

    threshold: _Share = 1.0
    coverage: _Share = 0.6
    numbers: bool = True
    names: bool = True


class _Context:
    """What the context holds."""

    def __init__(self, texts: tuple[str, ...], variables: str) -> None:
        text = "\n".join(texts)
        self.words = frozenset(words(text))
        self.asked = frozenset(words(variables))
        self.numbers = frozenset(numbers(text)) | frozenset(numbers(variables))

    def missing(self, sentence: str, options: Options) -> str | None:
        """What of a sentence is not there, if so much that it does not stand."""
        if options.numbers:
            for number in numbers(sentence):
                if not self._has(number):
                    return f"the number {number}"
        if options.names:
            for name in _NAME.findall(sentence):
                absent = [it for it in words(name) if it not in self.words | self.asked]
                if absent:
                    return f"the name {quoted(name)}"
        said = [word for word in words(sentence) if word not in _SMALL and not word.isdigit()]
        if len(said) < _FEW_WORDS:
            return None
        there = sum(word in self.words for word in said)
        return None if there >= options.coverage * len(said) else "most of its words"

    def _has(self, number: Decimal) -> bool:
        return number in self.numbers


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    if not case.context:
        return Grade("error", why="the case gives no context")
    output = answered.output or ""
    sentences = [it for it in _SENTENCE.split(output) if it and words(it)]
    if not sentences:
        return Grade("error", why="the answer has no sentence to look for")
    if len(sentences) > MAX_SENTENCES:
        return Grade("error", why=f"the answer has more than {MAX_SENTENCES} sentences")
    variables = " ".join(bytes(value).decode() for value in case.variables.values())
    context = _Context(case.context, variables)
    missing = [context.missing(sentence, options) for sentence in sentences]
    absent = [what for what in missing if what is not None]
    grade = graded(1 - len(absent) / len(sentences), options.threshold, "sentences in the context")
    if not absent:
        return grade
    return Grade(grade.verdict, grade.score, f"{grade.why}; not there: {absent[0]}")


plug = Plain(Options, _mark)
