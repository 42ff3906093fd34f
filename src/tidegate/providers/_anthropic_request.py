"""A conversation written as a request to Anthropic's Messages."""

import re
from collections.abc import Sequence
from typing import Any, Final

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Effort,
    Image,
    Part,
    Reasoning,
    Refused,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.providers._anthropic_models import (
    always_thinks,
    ceiling_tokens,
    samples,
    takes_budgets,
    takes_system_turns,
    thinks_by_effort,
)
from tidegate.providers._calls import ANY_OBJECT, arguments_of, safe_id
from tidegate.providers._claude import (
    LEAST_BUDGET_TOKENS,
    budget_tokens,
    lacks_thoughts,
    must_call,
    placed,
    sampling,
    stops,
)
from tidegate.providers._effort import effort_of
from tidegate.providers._tier import tier_of

_THINKS: Final = ("enabled", "adaptive")
_UNSAFE_IN_IDS: Final = re.compile(r"[^a-zA-Z0-9_-]")
_TIERS: Final = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


class Writer:
    """Writes one conversation; what has no place in it goes to `losses`."""

    def __init__(self, said: Conversation, model: str, losses: Losses) -> None:
        self._said = said
        self._model = model
        self._losses = losses

    def body(self, bound_tokens: int | None) -> dict[str, Any]:
        """The members of the request, but for its stream."""
        said, losses = self._said, self._losses
        ceiling = bound_tokens or said.ceiling_tokens or ceiling_tokens(self._model)
        body: dict[str, Any] = {"model": self._model, "max_tokens": ceiling}
        system_turns = takes_system_turns(self._model)
        instructions, turns = placed(said, takes_system_turns=system_turns)
        if instructions:
            body["system"] = [self._text(text) for text in instructions if text.text]
        body["messages"] = self._messages(turns)
        for name, value in (
            ("stop_sequences", stops(said.stop, losses) or None),
            ("metadata", None if said.end_user is None else {"user_id": said.end_user}),
            ("cache_control", _cache_control(said.cache)),
        ):
            if value is not None:
                body[name] = value
        self._add_tools(body)
        self._add_output(body)
        self._add_thinking(body, ceiling)
        thinks = body.get("thinking", {}).get("type") in _THINKS
        told = sampling(said, samples(self._model), losses, thinks=thinks)
        body.update({name: one for name, one in told._asdict().items() if one is not None})
        self._lose_the_rest(body)
        return body

    def _messages(self, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        messages = []
        for turn in turns:
            blocks = [block for part in turn.parts if (block := self._block(part)) is not None]
            if blocks:
                messages.append({"role": turn.role, "content": blocks})
        return messages

    def _block(self, part: Part) -> dict[str, Any] | None:
        # Most parts are of these, and to ask for the type is a fourth of the cost of isinstance.
        if type(part) is Text:
            return self._text(part) if part.text else None
        if type(part) is ToolCall:
            return self._call(part)
        if type(part) is ToolResult:
            return self._result(part)
        if isinstance(part, Image):
            return self._image(part)
        if isinstance(part, Document):
            return self._document(part)
        if isinstance(part, Refused):
            return {"type": "text", "text": part.text} if part.text else None
        return self._reasoning(part)

    def _text(self, part: Text) -> dict[str, Any]:
        if part.cache is None:
            return {"type": "text", "text": part.text}
        return _cached({"type": "text", "text": part.text}, part.cache)

    def _call(self, part: ToolCall) -> dict[str, Any]:
        call_id = safe_id(part.id, _UNSAFE_IN_IDS)
        arguments = arguments_of(part, self._losses)
        block = {"type": "tool_use", "id": call_id, "name": part.name, "input": arguments}
        return block if part.cache is None else _cached(block, part.cache)

    def _result(self, part: ToolResult) -> dict[str, Any]:
        call_id = safe_id(part.call_id, _UNSAFE_IN_IDS)
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id}
        content = [found for one in part.parts if (found := self._block(one)) is not None]
        if content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return block if part.cache is None else _cached(block, part.cache)

    def _image(self, part: Image) -> dict[str, Any] | None:
        if part.detail is not None:
            self._losses.lose("detail")
        if part.data is not None:
            source = {"type": "base64", "media_type": part.media_type, "data": part.data}
        elif part.url is not None:
            source = {"type": "url", "url": part.url}
        else:
            self._losses.lose("file_id")
            return None
        return _cached({"type": "image", "source": source}, part.cache)

    def _document(self, part: Document) -> dict[str, Any] | None:
        if part.text is not None:
            source = {"type": "text", "media_type": "text/plain", "data": part.text}
        elif part.data is not None and part.media_type == "application/pdf":
            source = {"type": "base64", "media_type": part.media_type, "data": part.data}
        elif part.url is not None:
            source = {"type": "url", "url": part.url}
        else:
            self._losses.lose("file_id" if part.data is None else "file_data")
            return None
        block: dict[str, Any] = {"type": "document", "source": source}
        if part.title is not None:
            block["title"] = part.title
        if part.context is not None:
            block["context"] = part.context
        return _cached(block, part.cache)

    def _reasoning(self, part: Reasoning) -> dict[str, Any] | None:
        if part.wire == "anthropic":
            if part.sealed is not None:
                return {"type": "redacted_thinking", "data": part.sealed}
            if part.signature is not None:
                return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        self._losses.lose("reasoning")
        return None

    def _add_tools(self, body: dict[str, Any]) -> None:
        said = self._said
        if not said.tools:
            return
        body["tools"] = [_tool(tool) for tool in said.tools]
        choice: dict[str, Any] | None = None
        if said.tool_choice is not None:
            mode, name = said.tool_choice.mode, said.tool_choice.name
            choice = {"type": "tool", "name": name} if mode == "named" else {"type": mode}
        if said.parallel_tools is False:
            choice = choice or {"type": "auto"}
            if choice["type"] != "none":
                choice["disable_parallel_tool_use"] = True
        if choice is not None:
            body["tool_choice"] = choice

    def _add_output(self, body: dict[str, Any]) -> None:
        output = self._said.output
        if output is None:
            return
        if output.schema is None:
            self._losses.lose("output")  # no wire of theirs says "any object"
            return
        body["output_config"] = {"format": {"type": "json_schema", "schema": output.schema}}

    def _add_thinking(self, body: dict[str, Any], ceiling: int) -> None:
        wanted = self._said.thinking
        if wanted is None:
            return
        if wanted.enabled is False:
            if always_thinks(self._model):
                self._losses.note("thinking")
            else:
                body["thinking"] = {"type": "disabled"}
            return
        if must_call(self._said):
            self._losses.lose("thinking")  # a model that must call a tool may not think
            return
        by_effort = thinks_by_effort(self._model) and wanted.budget_tokens is None
        if by_effort or not takes_budgets(self._model):
            body["thinking"] = {"type": "adaptive"}
            self._add_effort(body, effort_of(wanted))
        elif lacks_thoughts(self._said):
            self._losses.note("thinking")
            return
        elif ceiling <= LEAST_BUDGET_TOKENS:
            self._losses.lose("thinking")  # there is no room to think in
            return
        else:
            budget = budget_tokens(wanted, ceiling)
            body["thinking"] = {"type": "enabled", "budget_tokens": budget}
            if wanted.budget_tokens is not None:
                self._add_effort(body, wanted.effort)
        if wanted.shown is False:
            body["thinking"]["display"] = "omitted"

    def _add_effort(self, body: dict[str, Any], effort: Effort | None) -> None:
        if effort is None:
            return
        if thinks_by_effort(self._model):
            effort = "low" if effort == "minimal" else effort
            body.setdefault("output_config", {})["effort"] = effort
        else:
            self._losses.note("effort")  # the budget goes before it

    def _lose_the_rest(self, body: dict[str, Any]) -> None:
        said, losses = self._said, self._losses
        if said.presence_penalty is not None:
            losses.lose("presence_penalty")
        if said.frequency_penalty is not None:
            losses.lose("frequency_penalty")
        if said.seed is not None:
            losses.lose("seed")
        if said.choices > 1:
            losses.lose("choices")
        if said.metadata:
            losses.lose("metadata")
        if [turn for turn in said.turns if turn.name is not None]:
            losses.lose("name")
        tier = tier_of(said, _TIERS, losses)
        if tier is not None:
            body["service_tier"] = tier
        losses.lose_unread()


def _cache_control(cache: CacheMark | None) -> dict[str, str] | None:
    if cache is None:
        return None
    return {"type": "ephemeral"} if cache.ttl is None else {"type": "ephemeral", "ttl": cache.ttl}


def _cached(block: dict[str, Any], cache: CacheMark | None) -> dict[str, Any]:
    if cache is not None:
        block["cache_control"] = _cache_control(cache)
    return block


def _tool(tool: Tool) -> dict[str, Any]:
    told: dict[str, Any] = {"name": tool.name, "input_schema": tool.schema or ANY_OBJECT}
    if tool.description is not None:
        told["description"] = tool.description
    if tool.strict is not None:
        told["strict"] = tool.strict
    return _cached(told, tool.cache)
