"""What requests of OpenAI's chat and of its Responses say alike, in other places of the body."""

from typing import Final, Literal

from tidegate.core.conversation import Output, ToolChoice
from tidegate.core.plugs import Stamp
from tidegate.dialects._members import given
from tidegate.dialects._openai_chat_shapes import Schema
from tidegate.dialects._openai_responses_shapes import OfSchema

_MODES: Final[dict[str, Literal["auto", "none", "any"]]] = {
    "auto": "auto",
    "none": "none",
    "required": "any",
}


def tool_choice(mode: str | None, name: str | None) -> ToolChoice | None:
    """By OpenAI's word, or the one tool's name."""
    if name is not None:
        return ToolChoice("named", name)
    return None if mode is None else ToolChoice(_MODES[mode])


def output_of(told: Schema | OfSchema) -> Output:
    return Output(given(told.schema), told.name, told.description, told.strict)


def call_id_of(stated: str | None, stamp: Stamp, number: int) -> str:
    """A call's id; one of ours where its provider gave none, because the caller answers by it."""
    return stated or f"call_{stamp.id}_{number}"
