"""Whether checks can be made at all: that their graders exist and like their options."""

from typing import Any

import msgspec

from tidegate.core import checks, plugs
from tidegate.core.grading import Check
from tidegate.evals.reading import raw
from tidegate.graders.group import Options, check_of

MAX_REMEMBERED = 1000


class Graders:
    """Asks graders about options, each pair once: suites say the same of thousands of cases."""

    def __init__(self) -> None:
        self._known = plugs.names("graders")
        self._said: dict[tuple[str, bytes], str | None] = {}

    def wrong(self, name: str, options: dict[str, Any]) -> str | None:
        """What is wrong with a check, in words for who wrote it."""
        if name not in self._known:
            return checks.Graders().unknown(name)
        key = name, bytes(raw(options))
        if key not in self._said:
            if len(self._said) >= MAX_REMEMBERED:
                self._said.clear()
            self._said[key] = plugs.load("graders", name).wrong(options)
        return self._said[key]


def members(check: Check) -> tuple[Check, ...]:
    """The checks of a group; any other one is itself."""
    if check.grader != "group":
        return (check,)
    return tuple(map(check_of, msgspec.json.decode(check.options, type=Options).checks))


def asks(check: Check) -> bool:
    """Whether a check needs a judge, itself or one of its group."""
    graders = (plugs.load("graders", it.grader) for it in members(check))
    return any(it.asks and not getattr(it, "embeds", False) for it in graders)


def embeds(check: Check) -> bool:
    """Whether a check needs embeddings, itself or one of its group."""
    graders = (plugs.load("graders", it.grader) for it in members(check))
    return any(getattr(it, "embeds", False) for it in graders)
