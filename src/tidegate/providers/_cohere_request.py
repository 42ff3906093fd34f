"""A conversation as the body of Cohere's `/v2/chat`, whose messages are nearly OpenAI's."""

from typing import Any, Final

from msgspec import Raw

from tidegate.core.conversation import Conversation, Document, Effort, Thinking, Turn
from tidegate.core.losses import Losses
from tidegate.providers._calls import ANY_OBJECT
from tidegate.providers._manners import Manners
from tidegate.providers._openai_request import Writer

MOST_STOPS: Final = 5
# The range of its `p`; 1, which cuts nothing off, is outside.
LEAST_P: Final = 0.01
MOST_P: Final = 0.99
_CHOICES: Final = {"any": "REQUIRED", "named": "REQUIRED", "none": "NONE"}
# The budgets that its makers' own efforts come to elsewhere; the most is the model's own.
_BUDGETS_TOKENS: Final[dict[Effort, int]] = {"minimal": 1024, "low": 1024, "medium": 8192}
# Models by the beginning of their names that do not think, and refuse to be told to.
_PLAIN: Final = (
    *("command-r", "command-light", "command-nightly", "command-a-03", "command-a-vision"),
    *("command-a-translate", "c4ai-"),
)


class CohereWriter(Writer):
    """Writes one conversation; what has no place in it goes to `losses`."""

    def __init__(self, said: Conversation, losses: Losses) -> None:
        super().__init__(said, Manners(reasoning="content", names=False), losses)

    def body(self, model: str, bound_tokens: int | None) -> dict[str, Any]:
        said = self._said
        body: dict[str, Any] = {"model": model, "messages": self._messages()}
        for name, value in (
            ("max_tokens", bound_tokens or said.ceiling_tokens),
            ("temperature", said.temperature),
            ("p", None if said.top_p is None else min(max(said.top_p, LEAST_P), MOST_P)),
            ("k", said.top_k),
            ("presence_penalty", self._penalty("presence_penalty")),
            ("frequency_penalty", self._penalty("frequency_penalty")),
            ("stop_sequences", said.stop or None),
            ("seed", said.seed),
        ):
            if value is not None:
                body[name] = value
        if len(said.stop) > MOST_STOPS:
            self._losses.lose("stop")
            body["stop_sequences"] = said.stop[:MOST_STOPS]
        self._add_tools(body)
        self._add_output(body)
        self._think(body, said.thinking, model)
        self._lose_the_rest(body)
        return body

    def _penalty(self, name: str) -> float | None:
        """From 0 to 1 here."""
        value: float | None = getattr(self._said, name)
        if value is None or 0 <= value <= 1:
            return value
        self._losses.lose(name)
        return None

    def _assistant(self, turn: Turn) -> dict[str, Any]:
        """A text before calls is what Cohere's models call their plan."""
        message = super()._assistant(turn)
        if "tool_calls" not in message:
            return message
        content = message.pop("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        plan = "".join(part.get("text", "") for part in parts)
        if plan:
            message["tool_plan"] = plan
        thoughts = [part for part in parts if part["type"] == "thinking"]
        if thoughts:
            message["content"] = thoughts
        return message

    def _bring_back(self, message: dict[str, Any], member: str, thoughts: list[str]) -> None:
        parts: list[Any] = [{"type": "thinking", "thinking": "".join(thoughts)}]
        texts = message[member]
        if texts is not None:
            parts += [{"type": "text", "text": texts}] if isinstance(texts, str) else texts
        message[member] = parts

    def _document(self, part: Document) -> dict[str, Any] | None:
        if part.text is not None:
            return super()._document(part)
        lost = "file_data" if part.data is not None else "url" if part.url else "file_id"
        self._losses.lose(lost)
        return None

    def _add_tools(self, body: dict[str, Any]) -> None:
        """A tool cannot be named: of a named one only that is sent, and some must be called."""
        said, choice = self._said, self._said.tool_choice
        only = choice.name if choice is not None and choice.mode == "named" else None
        tools = []
        for tool in said.tools:
            if only is not None and tool.name != only:
                continue
            self._cached = self._cached or tool.cache is not None
            function: dict[str, Any] = {"name": tool.name}
            if tool.description is not None:
                function["description"] = tool.description
            function["parameters"] = ANY_OBJECT if tool.schema is None else tool.schema
            tools.append({"type": "function", "function": function})
        if not tools:
            return
        body["tools"] = tools
        if any(tool.strict for tool in said.tools):
            body["strict_tools"] = True
        if choice is not None and choice.mode in _CHOICES:
            body["tool_choice"] = _CHOICES[choice.mode]

    def _add_output(self, body: dict[str, Any]) -> None:
        """Cohere has no form of an answer beside tools."""
        output = self._said.output
        if output is None:
            return
        if "tools" in body:
            self._losses.lose("output")
            return
        form: dict[str, Raw | str] = {"type": "json_object"}
        if output.schema is not None:
            form["json_schema"] = output.schema
        body["response_format"] = form

    def _think(self, body: dict[str, Any], wanted: Thinking | None, model: str) -> None:
        if wanted is None or wanted.enabled is None:
            return
        if model.startswith(_PLAIN):
            if wanted.enabled:
                self._losses.note("thinking")
            return
        if not wanted.enabled:
            body["thinking"] = {"type": "disabled"}
            return
        thinking: dict[str, Any] = {"type": "enabled"}
        budget_tokens = wanted.budget_tokens
        if budget_tokens is None and wanted.effort is not None:
            budget_tokens = _BUDGETS_TOKENS.get(wanted.effort)
        if budget_tokens is not None:
            thinking["token_budget"] = budget_tokens
        body["thinking"] = thinking

    def _lose_the_rest(self, body: dict[str, Any]) -> None:
        said, losses = self._said, self._losses
        if said.choices > 1:
            losses.lose("choices")
        if said.parallel_tools is False:
            losses.lose("parallel_tools")
        if said.service_tier not in (None, "auto"):
            losses.lose("service_tier")
        if self._cached:
            losses.lose("cache")
        if said.end_user is not None:
            losses.lose("end_user")
        if said.metadata:
            losses.lose("metadata")
        losses.lose_unread()
