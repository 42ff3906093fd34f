"""The tools that a request brings, and the schemas of their arguments.

A caller's schema is a stranger's: it is compiled when a call of its tool has to be judged, kept,
and passed over where it does not compile or would cost too much.
"""

from collections import OrderedDict
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.text.json_schema import Schema, SchemaProblem

MAX_KEPT = 256
_ANY_OBJECT = b'{"type":"object"}'
_NULL: Final = Raw(b"null")


class _Tool(Struct):
    """A tool in one dialect's shape or another's: itself, what stands below `function`, or several
    below a name of theirs."""

    function: "_Tool | None" = None
    name: Any = None
    parameters: Raw = _NULL
    input_schema: Raw = _NULL
    tools: list[Raw] | None = None


_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode = msgspec.json.Decoder(_Tool).decode


class AskedTools:
    """Schemas by their text, the least recently used forgotten."""

    def __init__(self) -> None:
        self._schemas: OrderedDict[bytes, Schema | None] = OrderedDict()

    def schema(self, ask: Ask, name: str) -> tuple[bool, Schema | None]:
        """Whether the request brings that tool, and the schema of its arguments if there is one."""
        text = _parameters(ask, name)
        if text is None:
            return _may_be_kept(ask), None
        if text not in self._schemas:
            while len(self._schemas) >= MAX_KEPT:
                self._schemas.popitem(last=False)
            self._schemas[text] = _compiled(text)
        self._schemas.move_to_end(text)
        return True, self._schemas[text]


def _parameters(ask: Ask, name: str) -> bytes | None:
    """The schema's text of the tool of that name; None where the request brings none."""
    for member in ("tools", "functions"):
        try:
            tools = _decode_list(ask.members.get(member, b"[]"))
        except msgspec.DecodeError:
            continue
        found = next(filter(None, (_schema_in(tool, name) for tool in tools)), None)
        if found is not None:
            return found
    return None


def _schema_in(raw: Raw, name: str, *, within: bool = True) -> bytes | None:
    """The schema's text where `raw` is the tool of that name, or has it within."""
    try:
        tool = _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    said = tool.function or tool
    if said.name == name and tool.tools is None:
        of = said.input_schema if said.parameters == _NULL else said.parameters
        return _ANY_OBJECT if of == _NULL else bytes(of)
    inner = tool.tools if within else None
    return next(filter(None, (_schema_in(it, name, within=False) for it in inner or ())), None)


def _may_be_kept(ask: Ask) -> bool:
    """Whether tools may be asked for that do not stand in the body: a prompt that OpenAI keeps
    brings its own."""
    return ask.dialect == OPENAI_RESPONSES and ask.members.get("prompt", _NULL) != _NULL


def _compiled(text: bytes) -> Schema | None:
    try:
        return Schema(text)
    except SchemaProblem:
        return None
