"""A conversation written as a request in Mistral's shape of OpenAI's chat.

Members that it does not know Mistral refuses, so nothing but what it knows is sent. What callers of
OpenAI's chat say in Mistral's own words goes on as it came.
"""

import re
from hashlib import blake2b
from typing import Any, Final

from tidegate.core.conversation import Document
from tidegate.providers._openai_request import WHOLE_DATA, Writer

# Of Mistral's own, beside what the common middle has words for.
OWN: Final = frozenset(
    {
        *("random_seed", "safe_prompt", "prompt_mode", "prediction", "guardrails"),
        *("min_tokens", "repetition_penalty", "prompt_cache_key"),
    }
)
ID_CHARS: Final = 9
_GOOD_ID: Final = re.compile(r"[A-Za-z0-9]{9}")


def call_id(told: str) -> str:
    """A call's id as Mistral takes it: nine letters and digits. The same becomes the same."""
    if _GOOD_ID.fullmatch(told):
        return told
    return blake2b(told.encode("utf-8", "replace"), digest_size=5).hexdigest()[:ID_CHARS]


class MistralWriter(Writer):
    """Writes one conversation; what has no place in it goes to `losses`."""

    def body(self, model: str, bound_tokens: int | None) -> dict[str, Any]:
        body = super().body(model, bound_tokens)
        for tool in body.get("tools", ()):
            tool["function"].setdefault("parameters", {"type": "object", "properties": {}})
        return body

    def _add_thinking(self, body: dict[str, Any]) -> None:
        """Hard or not at all: it knows no effort between, and does not think unless told to."""
        super()._add_thinking(body)
        if "reasoning_effort" in body:
            body["reasoning_effort"] = "high"

    def _messages(self) -> list[dict[str, Any]]:
        messages = super()._messages()
        for message in messages:
            if message["role"] == "tool":
                message["tool_call_id"] = call_id(message["tool_call_id"])
            for call in message.get("tool_calls", ()):
                call["id"] = call_id(call["id"])
        return messages

    def _bring_back(self, message: dict[str, Any], member: str, thoughts: list[str]) -> None:
        """What was thought stands before the texts."""
        told = [{"type": "text", "text": text} for text in thoughts]
        parts: list[Any] = [{"type": "thinking", "thinking": told}]
        texts = message[member]
        if texts is not None:
            parts += [{"type": "text", "text": texts}] if isinstance(texts, str) else texts
        message[member] = parts

    def _document(self, part: Document) -> dict[str, Any] | None:
        if part.text is not None or (part.data is None and part.url is None):
            return super()._document(part)
        url = part.url if part.data is None else WHOLE_DATA % (part.media_type, part.data)
        told = {"type": "document_url", "document_url": url}
        if part.title is not None:
            told["document_name"] = part.title
        if part.context is not None:
            self._losses.lose("context")
        return told
