"""A request of OpenAI's Responses, read into the common middle.

Only what the request itself holds can be read: a conversation that some provider keeps, in whatever
way it is named, is refused, because an answer to half of it would be worth nothing.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.conversation import (
    Conversation,
    Output,
    Text,
    Thinking,
    Tool,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.dialects import _members
from tidegate.dialects._openai_members import output_of, tool_choice
from tidegate.dialects._openai_responses_items import read_items
from tidegate.dialects._openai_responses_shapes import (
    AnyObject,
    Body,
    FunctionChoice,
    FunctionTool,
    OfSchema,
    ReasoningWanted,
)

_NAMES: Final = {
    "turns": "input",
    "output": "text.format",
    "ceiling_tokens": "max_output_tokens",
    "parallel_tools": "parallel_tool_calls",
    "thinking": "reasoning",
    "reasoning": "input[].encrypted_content",
    "end_user": "user",
    "cache": "prompt_cache_breakpoint",
    "url": "image_url/file_url",
    "title": "filename",
}
_KNOWN: Final = frozenset(Body.__struct_fields__)
# What an answer holds in any case.
_ALWAYS_INCLUDED: Final = frozenset({"reasoning.encrypted_content"})
_decode = msgspec.json.Decoder(Body).decode
_TRUE: Final = Raw(b"true")


def read(ask: Ask) -> Conversation:
    """The request in the common middle. Refusal that names the member."""
    unread = _members.unknown(ask.members, _KNOWN)
    body = _members.read(_decode, ask.body, unread)
    _check_stateless(body)
    said = Conversation([], unread=unread, names=_NAMES, stream=ask.stream)
    if body.instructions:
        said.instructions = [Text(body.instructions)]
    if isinstance(body.input, str):
        said.turns.append(Turn("user", (Text(body.input),)))
    else:
        read_items(body.input, said)
    said.ceiling_tokens = ask.output_ceiling_tokens
    said.temperature, said.top_p = body.temperature, body.top_p
    said.service_tier = body.service_tier
    said.end_user = body.user or body.safety_identifier
    if body.metadata:
        said.metadata = {name: str(value) for name, value in body.metadata.items()}
    said.tools = [_tool(tool) for tool in body.tools or ()]
    choice = body.tool_choice
    if isinstance(choice, FunctionChoice):
        said.tool_choice = tool_choice(None, choice.name)
    else:
        said.tool_choice = tool_choice(choice, None)
    said.parallel_tools = body.parallel_tool_calls
    if body.text is not None:
        said.output = _output(body.text.format)
        if body.text.verbosity not in (None, "medium"):
            unread["text.verbosity"] = Raw(msgspec.json.encode(body.text.verbosity))
    said.thinking = _thinking(body.reasoning)
    _note_the_rest(body, unread)
    return said


def _check_stateless(body: Body) -> None:
    """Refusal of what needs an answer that is kept somewhere."""
    for name, value in (
        ("previous_response_id", body.previous_response_id),
        ("conversation", body.conversation),
        ("prompt", body.prompt),
        ("background", body.background or None),
    ):
        if value is not None:
            raise Refusal(
                "unsupported_parameter",
                f"`{name}` needs a provider that keeps answers, which this model's does not; send "
                "the whole conversation in `input`",
                param=name,
            )


def _note_the_rest(body: Body, unread: dict[str, Raw]) -> None:
    if body.store is not False:  # it is what happens unasked, where it can
        unread["store"] = _TRUE
    if body.truncation not in (None, "disabled"):
        unread["truncation"] = Raw(msgspec.json.encode(body.truncation))
    if not _ALWAYS_INCLUDED.issuperset(body.include or ()):
        unread["include"] = Raw(msgspec.json.encode(body.include))


def _tool(tool: FunctionTool) -> Tool:
    return Tool(tool.name, tool.description, _members.given(tool.parameters), tool.strict)


def _output(told: Any) -> Output | None:
    if isinstance(told, OfSchema):
        return output_of(told)
    return Output() if isinstance(told, AnyObject) else None


def _thinking(told: ReasoningWanted | None) -> Thinking | None:
    if told is None:
        return None
    shown = True if told.summary or told.generate_summary else None
    if told.effort == "none":
        return Thinking(False)
    if told.effort is None and shown is None:
        return None
    return Thinking(True, told.effort, shown=shown)
