"""A suite: cases that a prompt or a model is tried on, however it was written down."""

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.config.problem import Problem
from tidegate.core.grading import Case, Check

REPEATS = 3
MAX_REPEATS = 100
MAX_CASES = 100_000


class Template(Struct, frozen=True):
    """A prompt that a suite of another tool brings along. `source` is None where it is code, which
    is not executed, and `why` says so."""

    name: str
    source: str | None
    why: str = ""


class Suite(Struct, frozen=True):
    """`repeats`: each case is asked so often, so that chance can be told from change. `prompt` is
    the prompt that it is for."""

    name: str
    cases: tuple[Case, ...]
    owner: str | None = None
    prompt: str | None = None
    repeats: int = REPEATS
    description: str = ""
    templates: tuple[Template, ...] = ()

    def digest(self) -> str:
        """SHA-256 (hex) of all that decides a verdict: cases, whatever their order and however they
        were written down, and repeats. Neither name nor owner."""
        cases = sorted((_plain(case) for case in self.cases), key=lambda it: str(it["id"]))
        whole = msgspec.json.encode([self.repeats, cases], order="deterministic")
        return sha256(whole).hexdigest()


class Loaded(Struct, frozen=True):
    """What a file holds. With `problems` it is not to be run. `warnings` say what was left aside
    that decides no verdict."""

    suites: tuple[Suite, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def _plain(case: Case) -> dict[str, Any]:
    """The case as built-in values, what it says in JSON read, descriptions left out."""
    return {
        "id": case.id,
        "variables": {name: msgspec.json.decode(raw) for name, raw in case.variables.items()},
        "turns": case.turns,
        "expected": None if case.expected is None else [msgspec.json.decode(case.expected)],
        "context": case.context,
        "checks": [_plain_check(check) for check in case.checks],
        "must_pass": case.must_pass,
        "strata": dict(case.strata),
        "threshold": case.threshold,
    }


def _plain_check(check: Check) -> list[Any]:
    options = msgspec.json.decode(check.options)
    return [check.grader, options, check.negated, check.weight, check.threshold, check.metric]
