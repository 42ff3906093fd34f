"""The tools that a request brings, and the schemas of their arguments.

A caller's schema is a stranger's: it is compiled when a call of its tool has to be judged, kept,
and passed over where it does not compile or would cost too much.
"""

from collections import OrderedDict
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask
from tidegate.text.json_schema import Schema, SchemaProblem

MAX_KEPT = 256
_ANY_OBJECT = b'{"type":"object"}'


class _Tool(Struct):
    """A tool in one dialect's shape or another's: itself, or what stands below `function`."""

    function: "_Tool | None" = None
    name: str | None = None
    parameters: Raw = Raw()
    input_schema: Raw = Raw()


_decode = msgspec.json.Decoder(list[_Tool]).decode


class AskedTools:
    """Schemas by their text, the least recently used forgotten."""

    def __init__(self) -> None:
        self._schemas: OrderedDict[bytes, Schema | None] = OrderedDict()

    def schema(self, ask: Ask, name: str) -> tuple[bool, Schema | None]:
        """Whether the request brings that tool, and the schema of its arguments if there is one."""
        text = _parameters(ask, name)
        if text is None:
            return False, None
        if text not in self._schemas:
            while len(self._schemas) >= MAX_KEPT:
                self._schemas.popitem(last=False)
            self._schemas[text] = _compiled(text)
        self._schemas.move_to_end(text)
        return True, self._schemas[text]


def _parameters(ask: Ask, name: str) -> bytes | None:
    """The schema's text of the tool of that name; None where the request brings none."""
    for member in ("tools", "functions"):
        raw: Any = ask.members.get(member)
        if raw is None:
            continue
        try:
            tools = _decode(raw)
        except msgspec.DecodeError:
            continue
        for tool in tools:
            said = tool.function or tool
            if said.name == name:
                return bytes(said.parameters) or bytes(said.input_schema) or _ANY_OBJECT
    return None


def _compiled(text: bytes) -> Schema | None:
    try:
        return Schema(text)
    except SchemaProblem:
        return None
