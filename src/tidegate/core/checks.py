"""What a route's answers are checked by, as a plan writes it: in the form that suites have."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core import plugs
from tidegate.core.grading import Check, Grader
from tidegate.core.words import nearest, quoted

MOST_CHECKS: Final = 100
_BESIDE: Final = ("not", "weight", "threshold", "metric")
_MOST_WEIGHT: Final = 1e6

# Says what is wrong with the part of the list that the path leads to.
Say = Callable[[tuple[str, ...], str], None]


class Graders:
    """The grader plugs."""

    def names(self) -> list[str]:
        return plugs.names("graders")

    def get(self, name: str) -> Grader:
        """PlugError when it does not load."""
        plug: Grader = plugs.load("graders", name)
        return plug

    def unknown(self, name: str) -> str | None:
        """What to say where there is no such grader."""
        if name in self.names():
            return None
        near = nearest(name, self.names()) or f"; there are {', '.join(self.names())}"
        return f"there is no grader of this name{near}"

    def wrong(self, name: str, options: Mapping[str, Any]) -> str | None:
        """What is wrong with a check of a grader that there is, in words for who wrote it."""
        try:
            return self.get(name).wrong(options)
        except plugs.PlugError as error:
            return str(error)

    def asks(self, check: Check) -> bool:
        """Whether a good check needs a judge, itself or one of its group."""
        if check.grader == "group":
            members = msgspec.json.decode(check.options)["checks"]
            return any(self.get(member["grader"]).asks for member in members)
        return self.get(check.grader).asks


class _Beside(Struct, frozen=True):
    """What a check says beside its grader's options."""

    negated: bool = False
    weight: float = 1.0
    threshold: float | None = None
    metric: str | None = None


def checks_of(text: str, graders: Graders, say: Say) -> tuple[Check, ...]:
    """Those that are good, of a list as JSON; what is wrong with others is said."""
    try:
        rows = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not rows:
        say((), "expected a list of checks, such as `[{judge_rubric: {rubric: It is polite.}}]`")
        return ()
    if len(rows) > MOST_CHECKS:
        say((), f"there are at most {MOST_CHECKS} checks")
        return ()
    read = (_check(row, graders, (str(at),), say) for at, row in enumerate(rows))
    return tuple(check for check in read if check is not None)


def _check(row: Any, graders: Graders, path: tuple[str, ...], say: Say) -> Check | None:
    """`exact`, or `{contains: {any: ["yes"]}, not: true, weight: 2}`."""
    if isinstance(row, str):
        row = {row: None}
    names = [it for it in row if it not in _BESIDE] if isinstance(row, dict) else []
    if len(names) != 1:
        say(path, "a check is one grader's name with its options")
        return None
    [name] = names
    options = {} if row[name] is None else row[name]
    wrong = graders.unknown(name)
    if wrong is None and not isinstance(options, dict):
        wrong = "the options of a grader are a mapping"
    wrong = wrong or graders.wrong(name, options)
    if wrong is not None:
        say((*path, name), wrong)
        return None
    beside = _beside(row, path, say)
    if beside is None:
        return None
    raw = Raw(msgspec.json.encode(options, order="deterministic"))
    return Check(name, raw, beside.negated, beside.weight, beside.threshold, beside.metric)


def _beside(row: Mapping[str, Any], path: tuple[str, ...], say: Say) -> _Beside | None:
    negated, weight, threshold = row.get("not", False), row.get("weight", 1.0), row.get("threshold")
    metric = row.get("metric")
    if not isinstance(negated, bool):
        say((*path, "not"), "expected true or false")
    elif not _is_number(weight) or not 0 <= weight <= _MOST_WEIGHT:
        say((*path, "weight"), f"it must be a number from 0 to {_MOST_WEIGHT:g}")
    elif threshold is not None and (not _is_number(threshold) or not 0 < threshold <= 1):
        say((*path, "threshold"), "it must be a number above 0, at most 1")
    elif metric is not None and not isinstance(metric, str):
        say((*path, "metric"), f"expected a text; found {quoted(str(metric))}")
    else:
        return _Beside(negated, weight, threshold, metric)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
