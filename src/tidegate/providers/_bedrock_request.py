"""A conversation as the body of Converse and ConverseStream."""

import re
from typing import Any, Final

from tidegate.core.conversation import Conversation, Tool, ToolCall, ToolResult, Turn
from tidegate.core.losses import Losses
from tidegate.providers._bedrock_models import Traits
from tidegate.providers._bedrock_parts import Block, Blocks
from tidegate.providers._bedrock_thinking import Limits, think
from tidegate.providers._calls import ANY_OBJECT
from tidegate.providers._claude import Sampling, placed, sampling, stops
from tidegate.providers._tier import tier_of

_TIERS: Final = {
    "default": "default",
    "standard_only": "default",
    "flex": "flex",
    "priority": "priority",
}
_THINKS: Final = ("enabled", "adaptive")
# What stands in AWS's log of invocations: at most 16 pairs of these letters.
MAX_PAIRS: Final = 16
_LOGGED: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}")


class Body:
    """Writes one request, member by member. Refusal for what has no place (core.losses)."""

    def __init__(self, said: Conversation, losses: Losses, traits: Traits) -> None:
        self._said = said
        self._losses = losses
        self._traits = traits
        self._blocks = Blocks(losses, traits)
        self._own: dict[str, Any] = {}

    def write(self, ceiling_tokens: int | None) -> dict[str, Any]:
        """The whole body; `ceiling_tokens` is the most that the answer may have."""
        said = self._said
        system_turns = self._traits.system_turns
        instructions, turns = placed(said, takes_system_turns=system_turns)
        system = self._blocks.of(instructions)
        body: dict[str, Any] = {"messages": self._messages(turns)}
        if said.cache is not None:
            _last_content(body["messages"], system).extend(self._blocks.mark(said.cache))
        effort = think(said, self._own, self._losses, Limits(self._traits, ceiling_tokens))
        thinks = self._own.get("thinking", {}).get("type") in _THINKS
        sampled = sampling(said, self._traits.samples, self._losses, thinks=thinks)
        if effort is not None:
            body["outputConfig"] = {"effort": effort}
        self._form(body)
        for name, value in (
            ("system", system),
            ("inferenceConfig", self._inference(ceiling_tokens, sampled)),
            ("toolConfig", self._tools()),
            ("serviceTier", self._tier()),
            ("requestMetadata", self._metadata()),
        ):
            if value:
                body[name] = value
        if sampled.top_k is not None:
            if self._traits.top_k:
                _put(self._own, self._traits.top_k, sampled.top_k)
            else:
                self._losses.lose("top_k")
        if self._own:
            body["additionalModelRequestFields"] = self._own
        if said.stop:
            # The only place where it says which of them it was.
            body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
        self._lose_the_rest()
        return body

    def _messages(self, turns: list[Turn]) -> list[Block]:
        """Turns of one role that follow each other are one message: roles must alternate."""
        messages: list[Block] = []
        for turn in turns:
            content = self._blocks.of(turn.parts)
            if turn.name is not None:
                self._losses.lose("name")
            if messages and messages[-1]["role"] == turn.role:
                messages[-1]["content"] += content
            elif content:
                messages.append({"role": turn.role, "content": content})
        return messages

    def _inference(self, ceiling_tokens: int | None, sampled: Sampling) -> dict[str, Any]:
        stop = [one for one in self._said.stop if one]
        told = {
            "maxTokens": ceiling_tokens,
            "temperature": sampled.temperature,
            "topP": sampled.top_p,
            "stopSequences": (stops(stop, self._losses) if self._traits.claude else stop) or None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _tools(self) -> dict[str, Any]:
        said = self._said
        choice = said.tool_choice
        forbidden = choice is not None and choice.mode == "none"
        if not said.tools or (forbidden and not _speaks_of_tools(said.turns)):
            return {}
        tools: list[Block] = []
        for tool in said.tools:
            tools.append({"toolSpec": _tool(tool)})
            tools += self._blocks.mark(tool.cache)
        config: dict[str, Any] = {"tools": tools}
        if forbidden:
            # What earlier turns called must be declared, and then it may be called again.
            self._losses.lose("tool_choice")
        elif said.parallel_tools is False:
            self._one_call(config)
        elif choice is not None:
            config["toolChoice"] = _choice(choice.mode, choice.name)
        return config

    def _one_call(self, config: dict[str, Any]) -> None:
        """One tool at a time is said in the model's own member, instead of Converse's."""
        choice = self._said.tool_choice
        if not self._traits.one_call:
            self._losses.lose("parallel_tools")
            if choice is not None:
                config["toolChoice"] = _choice(choice.mode, choice.name)
            return
        own: dict[str, Any] = {"type": "auto", "disable_parallel_tool_use": True}
        if choice is not None and choice.mode == "any":
            own["type"] = "any"
        elif choice is not None and choice.mode == "named":
            own |= {"type": "tool", "name": choice.name}
        self._own["tool_choice"] = own

    def _form(self, body: dict[str, Any]) -> None:
        """The answer's form: a schema, as text, or nothing that Converse knows."""
        output = self._said.output
        if output is None:
            return
        if output.schema is None:
            self._losses.lose("output")
            return
        schema = {"schema": bytes(output.schema).decode()}
        if output.name:
            schema["name"] = output.name
        if output.description:
            schema["description"] = output.description
        form = {"type": "json_schema", "structure": {"jsonSchema": schema}}
        body.setdefault("outputConfig", {})["textFormat"] = form

    def _tier(self) -> dict[str, str] | None:
        tier = tier_of(self._said, _TIERS, self._losses)
        return None if tier is None else {"type": tier}

    def _metadata(self) -> dict[str, str]:
        pairs = self._said.metadata
        if len(pairs) <= MAX_PAIRS and all(
            _LOGGED.fullmatch(name) and (not value or _LOGGED.fullmatch(value))
            for name, value in pairs.items()
        ):
            return pairs
        self._losses.lose("metadata")
        return {}

    def _lose_the_rest(self) -> None:
        said = self._said
        for field in ("presence_penalty", "frequency_penalty", "seed", "end_user"):
            if getattr(said, field) is not None:
                self._losses.lose(field)
        if said.choices > 1:
            self._losses.lose("choices")
        self._losses.lose_unread()


def _put(fields: dict[str, Any], path: tuple[str, ...], value: int) -> None:
    """Sets the member at `path` of nested objects."""
    for name in path[:-1]:
        fields = fields.setdefault(name, {})
    fields[path[-1]] = value


def _last_content(messages: list[Block], system: list[Block]) -> list[Block]:
    """Where a mark for the whole prompt belongs."""
    if not messages:
        return system
    content: list[Block] = messages[-1]["content"]
    return content


def _tool(tool: Tool) -> Block:
    schema = ANY_OBJECT if tool.schema is None else tool.schema
    spec: Block = {"name": tool.name, "inputSchema": {"json": schema}}
    if tool.description:
        spec["description"] = tool.description
    if tool.strict:
        spec["strict"] = True
    return spec


def _choice(mode: str, name: str | None) -> Block:
    return {"tool": {"name": name}} if mode == "named" else {mode: {}}


def _speaks_of_tools(turns: list[Turn]) -> bool:
    return any(isinstance(part, ToolCall | ToolResult) for turn in turns for part in turn.parts)
