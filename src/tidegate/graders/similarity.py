"""The answer is like the expected text: by edits, or by the runs of words that both have."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.graders._alike import TooLong, bleu, edits, harmonic, rouge
from tidegate.graders._plain import Plain, expected_texts, graded
from tidegate.graders._words import folded, words

Measure = Literal["levenshtein", "rouge", "rouge_recall", "bleu"]
# Where a check names no threshold. Those of rouge and bleu are promptfoo's.
_DEFAULTS: Final[Mapping[Measure, float]] = {
    "levenshtein": 0.8,
    "rouge": 0.75,
    "rouge_recall": 0.75,
    "bleu": 0.5,
}


class Options(Struct, frozen=True, omit_defaults=True):
    """`to`: the text, or several of which the likest counts; the case's `expected` without it.

    `levenshtein` is 1 less the edits by the longer text's length, `rouge` the F1 of ROUGE-`n`,
    `rouge_recall` its recall. `most_edits` asks for a distance in characters instead of a ratio.
    """

    measure: Measure = "rouge"
    to: str | tuple[str, ...] | None = None
    threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=9)] = 1
    ignore_case: bool = True
    most_edits: Annotated[int, Meta(ge=0)] | None = None


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    if options.to is None:
        wanted = expected_texts(case)
    else:
        wanted = (options.to,) if isinstance(options.to, str) else options.to
    if not wanted:
        return Grade("error", why="neither the check nor the case says what it is to be like")
    output = answered.output or ""
    try:
        if options.measure == "levenshtein":
            return _by_edits(output, wanted, options)
    except TooLong:
        return Grade("error", why="the texts are too long for their edits to be counted")
    said = words(output)
    if options.measure == "bleu":
        score = bleu(said, [words(text) for text in wanted])
    else:
        score = max(_rouge(said, words(text), options) for text in wanted)
    return graded(score, _threshold(options), options.measure)


def _threshold(options: Options) -> float:
    given = options.threshold
    return _DEFAULTS[options.measure] if given is None else given


def _rouge(said: list[str], wanted: list[str], options: Options) -> float:
    recall, precision = rouge(said, wanted, options.n)
    return recall if options.measure == "rouge_recall" else harmonic(recall, precision)


def _by_edits(output: str, wanted: tuple[str, ...], options: Options) -> Grade:
    form: Callable[[str], str] = folded if options.ignore_case else str
    said = form(output)
    found = [(edits(said, text), max(len(said), len(text), 1)) for text in map(form, wanted)]
    score = max(1 - count / longest for count, longest in found)
    if options.most_edits is None:
        return graded(score, _threshold(options), "levenshtein")
    least = min(count for count, _ in found)
    why = f"{least} edits, and at most {options.most_edits} are asked"
    return Grade("pass" if least <= options.most_edits else "fail", score, why)


def _also_wrong(options: Options) -> str | None:
    if options.most_edits is not None and options.measure != "levenshtein":
        return "`most_edits` is of the measure `levenshtein`"
    if options.most_edits is not None and options.threshold is not None:
        return "write `most_edits` or `threshold`"
    return "`to` is an empty list" if options.to == () else None


plug = Plain(Options, _mark, _also_wrong)
