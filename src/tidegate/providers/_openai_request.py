"""A conversation written as a request in OpenAI's chat shape."""

from typing import Any, Final

from msgspec import Raw

from tidegate.core.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refused,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.providers._effort import effort_of
from tidegate.providers._manners import Manners

_TIERS: Final = {"auto": "auto", "standard_only": "default"}
_CHOICES: Final = {"auto": "auto", "none": "none"}
WHOLE_DATA: Final = "data:%s;base64,%s"


class Writer:
    """Writes one conversation; what has no place in it goes to `losses`."""

    def __init__(self, said: Conversation, manners: Manners, losses: Losses) -> None:
        self._said = said
        self._manners = manners
        self._losses = losses
        self._cached = said.cache is not None

    def body(self, model: str, bound_tokens: int | None) -> dict[str, Any]:
        """The members of the request, but for its stream."""
        said = self._said
        body: dict[str, Any] = {"model": model, "messages": self._messages()}
        for name, value in (
            (self._manners.ceiling, bound_tokens or said.ceiling_tokens),
            ("temperature", said.temperature),
            ("top_p", said.top_p),
            ("presence_penalty", said.presence_penalty),
            ("frequency_penalty", said.frequency_penalty),
            ("stop", said.stop or None),
            (self._manners.seed, said.seed),
            ("n", said.choices if said.choices > 1 else None),
            ("user", said.end_user if self._manners.end_users else None),
        ):
            if value is not None:
                body[name] = value
        self._add_tools(body)
        self._add_output(body)
        self._add_thinking(body)
        self._lose_the_rest(body)
        return body

    def _messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        if self._said.instructions:
            messages.append({"role": "system", "content": self._joined(self._said.instructions)})
        for turn in self._said.turns:
            if turn.role == "assistant":
                message = self._assistant(turn)
                if len(message) > 2 or message.get("content") or "tool_calls" in message:
                    messages.append(message)  # with neither it is refused
            elif turn.role == "system":
                messages.append({"role": "system", "content": self._joined(turn.parts)})
            else:
                self._user(turn, messages)
        return messages

    def _joined(self, parts: "tuple[Part, ...] | list[Text]") -> Any:
        """Texts alone: as one where there is one, for engines that take no more."""
        if len(parts) == 1:
            only = parts[0]
            if isinstance(only, Text):
                self._cached = self._cached or only.cache is not None
                return only.text
        told = [self._part(part) for part in parts]
        content = [part for part in told if part is not None]
        if len(content) == 1 and content[0]["type"] == "text":
            return content[0]["text"]
        return content

    def _user(self, turn: Turn, messages: list[dict[str, Any]]) -> None:
        """Results of tools are messages of their own here, and hold no more than text: what else a
        result has comes with what the user says."""
        rest: list[Part] = []
        for part in turn.parts:
            if type(part) is not ToolResult:
                rest.append(part)
                continue
            self._cached = self._cached or part.cache is not None
            if part.is_error:
                self._losses.lose("is_error")
            texts: list[Part] = []
            for one in part.parts:
                (texts if type(one) is Text else rest).append(one)
            content = self._joined(tuple(texts)) if texts else ""
            messages.append({"role": "tool", "tool_call_id": part.call_id, "content": content})
        if rest:
            message: dict[str, Any] = {"role": "user", "content": self._joined(tuple(rest))}
            if turn.name is not None and self._manners.names:
                message["name"] = turn.name
            elif turn.name is not None:
                self._losses.lose("name")
            messages.append(message)

    def _assistant(self, turn: Turn) -> dict[str, Any]:
        texts: list[Part] = []
        calls: list[dict[str, Any]] = []
        thoughts: list[str] = []
        for part in turn.parts:
            if type(part) is ToolCall:
                self._cached = self._cached or part.cache is not None
                function = {"name": part.name, "arguments": part.arguments or "{}"}
                calls.append({"id": part.id, "type": "function", "function": function})
            elif isinstance(part, Reasoning):
                thoughts += self._thought(part)
            else:
                texts.append(part)
        message: dict[str, Any] = {"role": "assistant"}
        message["content"] = self._joined(tuple(texts)) if texts else None
        if calls:
            message["tool_calls"] = calls
        if thoughts and self._manners.reasoning is not None:
            self._bring_back(message, self._manners.reasoning, thoughts)
        return message

    def _bring_back(self, message: dict[str, Any], member: str, thoughts: list[str]) -> None:
        message[member] = "".join(thoughts)

    def _thought(self, part: Reasoning) -> list[str]:
        """Its text, where a model of this shape may have thought it: those sign and seal nothing,
        and nobody's reasoning is shown to another provider's model."""
        own = part.wire is None and part.signature is None and part.sealed is None
        if own and part.text and self._manners.reasoning is not None:
            return [part.text]
        self._losses.lose("reasoning")
        return []

    def _part(self, part: Part) -> dict[str, Any] | None:
        self._note_cache(part)
        if isinstance(part, (Text, Refused)):
            return {"type": "text", "text": part.text}
        if isinstance(part, Image):
            return self._image(part)
        return self._document(part) if isinstance(part, Document) else None

    def _image(self, part: Image) -> dict[str, Any] | None:
        url = part.url
        if part.data is not None:
            url = WHOLE_DATA % (part.media_type, part.data)
        if url is None:
            self._losses.lose("file_id")
            return None
        told = {"url": url}
        if part.detail is not None:
            told["detail"] = part.detail
        return {"type": "image_url", "image_url": told}

    def _document(self, part: Document) -> dict[str, Any] | None:
        if part.text is not None:
            texts = (part.title, part.context, part.text)
            return {"type": "text", "text": "\n\n".join(text for text in texts if text)}
        if part.data is None:
            self._losses.lose("file_id" if part.url is None else "url")
            return None
        told = {"file_data": WHOLE_DATA % (part.media_type, part.data)}
        told["filename"] = part.title or "document.pdf"
        if part.context is not None:
            self._losses.lose("context")
        return {"type": "file", "file": told}

    def _note_cache(self, part: Part) -> None:
        self._cached = self._cached or getattr(part, "cache", None) is not None

    def _add_tools(self, body: dict[str, Any]) -> None:
        said = self._said
        if not said.tools:
            return
        tools = []
        choice = said.tool_choice
        only = choice.name if choice is not None and choice.mode == "named" else None
        for tool in said.tools:
            if only is not None and tool.name != only and not self._manners.names_a_tool:
                continue
            self._cached = self._cached or tool.cache is not None
            function: dict[str, Any] = {"name": tool.name}
            for name, value in (
                ("description", tool.description),
                ("parameters", tool.schema),
                ("strict", tool.strict),
            ):
                if value is not None:
                    function[name] = value
            tools.append({"type": "function", "function": function})
        body["tools"] = tools
        if choice is not None:
            self._add_choice(body, choice)
        if said.parallel_tools is not None:
            body["parallel_tool_calls"] = said.parallel_tools

    def _add_choice(self, body: dict[str, Any], choice: ToolChoice) -> None:
        manners = self._manners
        if choice.mode in ("any", "named") and not manners.forces_tools:
            self._losses.lose("tool_choice")
        elif choice.mode == "named" and manners.names_a_tool:
            body["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
        else:
            body["tool_choice"] = _CHOICES.get(choice.mode, manners.must_call)

    def _add_output(self, body: dict[str, Any]) -> None:
        output = self._said.output
        if output is None:
            return
        if output.schema is None:
            body["response_format"] = {"type": "json_object"}
            return
        if not self._manners.schemas:
            self._losses.lose("output")
            return
        schema: dict[str, Raw | str | bool] = {"name": output.name or "answer"}
        schema["schema"] = output.schema
        if output.description is not None:
            schema["description"] = output.description
        if output.strict is not None:
            schema["strict"] = output.strict
        body["response_format"] = {"type": "json_schema", "json_schema": schema}

    def _add_thinking(self, body: dict[str, Any]) -> None:
        wanted = self._said.thinking
        if wanted is None:
            return
        self._switch(body, wanted)
        if wanted.enabled is False:
            if self._manners.effort and self._manners.switch is None:
                self._losses.note("thinking")  # most that think here cannot be told not to
            return
        effort = effort_of(wanted)
        if self._manners.effort:
            if effort is not None:
                body["reasoning_effort"] = "xhigh" if effort == "max" else effort
        elif self._manners.switch is None:
            self._losses.note("thinking")
        elif wanted.effort is not None:
            self._losses.note("effort")

    def _switch(self, body: dict[str, Any], wanted: Thinking) -> None:
        """Whether to think at all, where that is a member of its own."""
        thinks, switch = wanted.enabled, self._manners.switch
        if thinks is None or switch is None:
            return
        if switch == "thinking":
            body[switch] = {"type": "enabled" if thinks else "disabled"}
            return
        body[switch] = thinks
        if thinks and wanted.budget_tokens is not None:
            body["thinking_budget"] = wanted.budget_tokens

    def _lose_the_rest(self, body: dict[str, Any]) -> None:
        said, losses = self._said, self._losses
        if said.top_k is not None:
            if self._manners.top_k:
                body["top_k"] = said.top_k
            else:
                losses.lose("top_k")
        if said.end_user is not None and not self._manners.end_users:
            losses.lose("end_user")
        if self._cached:
            losses.lose("cache")  # such targets cache by themselves
        if said.metadata and self._manners.metadata:
            body["metadata"] = said.metadata
        elif said.metadata:
            losses.lose("metadata")
        if said.service_tier is not None:
            body["service_tier"] = _TIERS.get(said.service_tier, said.service_tier)
        losses.lose_unread()
