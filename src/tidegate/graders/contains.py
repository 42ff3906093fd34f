"""The answer holds a text: any of several or all of them, anywhere or at its start or end."""

from typing import Literal

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._plain import Plain, expected_texts, passed
from tidegate.graders._words import folded, normalised


class Options(Struct, frozen=True, omit_defaults=True):
    """`any` or `all` of these texts; any of the case's `expected` without them. `normalise`: as
    words alone. `either_way`: it is enough that the answer is part of the text."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    at: Literal["anywhere", "start", "end"] = "anywhere"
    ignore_case: bool = False
    normalise: bool = False
    either_way: bool = False


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    wanted = options.any or options.all or expected_texts(case)
    if not wanted:
        return Grade("error", why="neither the check nor the case says what is to be found")
    output = _form(answered.output or "", options)
    missing = [text for text in wanted if not _found(output, _form(text, options), options)]
    if options.all:
        why = f"{quoted(missing[0])} is not there" if missing else "all is there"
        return Grade("fail" if missing else "pass", 1 - len(missing) / len(wanted), why)
    ok = len(missing) < len(wanted)
    why = "it is there" if ok else f"there is no {quoted(wanted[0])}"
    more = f" nor any of {len(wanted) - 1} others" if not ok and len(wanted) > 1 else ""
    return passed(ok, why + more)


def _found(output: str, text: str, options: Options) -> bool:
    if options.either_way and (not text or not output):
        return text == output
    if options.at == "start":
        return output.startswith(text)
    if options.at == "end":
        return output.endswith(text)
    return text in output or (options.either_way and output in text)


def _form(text: str, options: Options) -> str:
    if options.normalise:
        return normalised(text)
    return folded(text) if options.ignore_case else text


def _also_wrong(options: Options) -> str | None:
    if options.any and options.all:
        return "write `any` or `all`, and the other as a check of its own"
    if "" in options.any + options.all:
        return "an empty text is in every answer"
    return None


plug = Plain(Options, _mark, _also_wrong)
