"""How tests of graders ask one."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core import plugs
from tidegate.core.grading import Answered, Ask, Case, Embedded, Grade, Grader

Turns = tuple[tuple[str, str], ...]


def case(**members: Any) -> Case:
    """A case whose `expected` and variables are given as Python has them."""
    if "expected" in members:
        members["expected"] = Raw(msgspec.json.encode(members["expected"]))
    given = members.pop("variables", {})
    variables = {name: Raw(msgspec.json.encode(value)) for name, value in given.items()}
    return Case(members.pop("id", "c"), variables, **members)


def grade(
    name: str,
    options: Mapping[str, Any],
    answer: str | Answered | None,
    of: Case | None = None,
    ask: Ask | None = None,
) -> Grade:
    grader: Grader = plugs.load("graders", name)
    answered = answer if isinstance(answer, Answered) else Answered(answer)
    return asyncio.run(grader.grade(of or Case("c"), answered, options, ask))


class Judge:
    """An Ask that says what it is told to, in turn, and keeps what it was asked. Its vectors count
    the letters of a text."""

    def __init__(self, *replies: str | None) -> None:
        self.replies = list(replies)
        self.asked: list[Turns] = []
        self.schemas: list[str | None] = []

    async def __call__(
        self, turns: Turns, json_schema: str | None
    ) -> tuple[str | None, str | None]:
        self.asked.append(turns)
        self.schemas.append(json_schema)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply, None if reply is not None else "the judge is away"

    async def embed(self, texts: tuple[str, ...]) -> Embedded:
        return [[float(text.count(it)) for it in _LETTERS] for text in texts], None


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
