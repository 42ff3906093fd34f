"""What a suite is as another tool's file, and how texts are put into its YAML."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import yaml
from msgspec import Struct

from tidegate.core.grading import Case
from tidegate.evals.suite import REPEATS, Suite

Row = TypeVar("Row")
_NUMBERS: Final = "0123456789+-."


class Written(Struct, frozen=True):
    """The file's text, what of the suite it does not hold, and further files by their paths."""

    text: str
    left_out: tuple[str, ...] = ()
    files: Mapping[str, str] = {}


class NoPlace(Exception):
    """The other tool has no place for this."""


def unsaid(suite: Suite) -> list[str]:
    """What of a suite beside its cases neither pydantic-evals nor OpenAI's registry holds."""
    told = {
        f"that it is for the prompt {suite.prompt}": suite.prompt is not None,
        f"its owner {suite.owner}": suite.owner is not None,
        f"that each case is asked {suite.repeats} times": suite.repeats != REPEATS,
        "its templates": bool(suite.templates),
    }
    return [what for what, is_so in told.items() if is_so]


def rows_of(suite: Suite, row: Callable[[Case], Row], left_out: list[str]) -> list[Row]:
    """Each case as the other tool has it; one that has no place there is told of in `left_out`."""
    rows = []
    for case in suite.cases:
        try:
            rows.append(row(case))
        except NoPlace as reason:
            left_out.append(f"the case {case.id}: {reason}")
    return rows


class _Dumper(yaml.SafeDumper):
    """Writes texts so that YAML 1.2 takes them for texts too, which knows other numbers."""


def _written_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    odd = text[:1] in _NUMBERS or not text.replace("\n", "").isprintable()
    style = '"' if odd else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _written_text)


def dumped(value: Any) -> str:
    """As YAML, members in their own order."""
    written: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return written
