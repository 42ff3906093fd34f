"""What comes of rendering a prompt: messages, or why there are none. Without the engine."""

from typing import Literal

from msgspec import Struct

from tidegate.core.conversation import Role

Fault = Literal["caller", "prompt"]


class Message(Struct, frozen=True, gc=False):
    """One message, rendered."""

    role: Role
    text: str


class RenderRefused(Exception):
    """Why there are no messages. `fault` says whose it is, `variable` the variable that is meant.

    `part` is the message's number from 0, or the partial, in which `line` counts from 1. The words
    (`says`, and the whole with its place) hold no value of a variable.
    """

    def __init__(
        self,
        says: str,
        fault: Fault,
        variable: str | None = None,
        part: str | None = None,
        line: int | None = None,
    ) -> None:
        where = "" if part is None else _where(part)
        where += f", line {line}" if where and line else ""
        super().__init__(f"{where}: {says}" if where else says)
        self.says = says
        self.fault = fault
        self.variable = variable
        self.part = part
        self.line = line


def _where(part: str) -> str:
    return f"message {int(part) + 1}" if part.isdigit() else f"the partial {part}"
