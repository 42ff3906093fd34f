"""The turns of a conversation as Gemini's `contents`.

What its models signed goes back to the byte, in a part of the kind that it came in. A text's own
signature, which the common middle keeps as reasoning without words, goes back in an empty text.
"""

from typing import Any, Final

from tidegate.core.conversation import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refused,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._calls import arguments_of

Block = dict[str, Any]

# These models take calls that nobody signed; later ones refuse a step whose first call is not.
_UNSIGNED: Final = ("gemini-1", "gemini-2")
# What the ending of an address says of what is there. Google fetches it, but wants to be told.
_TYPES: Final = {
    **{kind: f"image/{kind}" for kind in ("png", "jpeg", "webp", "gif", "heic", "heif")},
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
}
# What Google documents for calls that another model made.
_UNPROVEN: Final = "skip_thought_signature_validator"


def needs_signatures(model: str) -> bool:
    name = model.rpartition("/")[2]
    return name.startswith("gemini-") and not name.startswith(_UNSIGNED)


class Contents:
    """Writes the turns of one request. Turns of one role that follow each other are one content,
    but results stand apart: they must answer, all together, the calls of the content before."""

    __slots__ = (
        "_called",
        "_calls",
        "_kind",
        "_losses",
        "_signs",
        "contents",
        "instructions",
    )

    def __init__(self, said: Conversation, model: str, losses: Losses) -> None:
        self._losses = losses
        self._signs = needs_signatures(model)
        self._called: dict[str, str] = {}
        self._kind = ""
        self._calls = False  # the content that is being written has a call
        self.contents: list[Block] = []
        self.instructions: list[Block] = []
        for text in said.instructions:
            self._instruct(text)
        for turn in said.turns:
            self._add(turn)

    def _instruct(self, text: Part) -> None:
        if isinstance(text, Text) and (block := self._block(text)) is not None:
            self.instructions.append(block)

    def _add(self, turn: Turn) -> None:
        if turn.name is not None:
            self._losses.lose("name")
        if turn.role == "system":
            # This wire has instructions at the beginning only.
            for part in turn.parts:
                self._instruct(part)
            return
        kind = "model" if turn.role == "assistant" else "user"
        for part in turn.parts:
            # To ask for the type is a fourth of the cost of isinstance.
            if type(part) is ToolResult:
                self._put("results", {"functionResponse": self._result(part)})
            elif (block := self._block(part)) is not None:
                self._put(kind, block)

    def _put(self, kind: str, block: Block) -> None:
        if kind != self._kind:
            self._kind, self._calls = kind, False
            self.contents.append({"role": "model" if kind == "model" else "user", "parts": []})
        self._calls = self._calls or "functionCall" in block
        self.contents[-1]["parts"].append(block)

    def _block(
        self, part: Text | Image | Document | ToolCall | Reasoning | Refused
    ) -> Block | None:
        """None for what is left out: also a text of nothing, which Gemini refuses."""
        if type(part) is Text and part.cache is None:
            return {"text": part.text} if part.text else None
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        if isinstance(part, Refused):
            return {"text": part.text} if part.text else None
        if part.cache is not None:
            self._losses.lose("cache")  # Gemini caches by itself: a mark has no place
        if isinstance(part, Text):
            return {"text": part.text} if part.text else None
        return self._call(part) if isinstance(part, ToolCall) else self._medium(part)

    def _call(self, call: ToolCall) -> Block:
        self._called[call.id] = call.name
        told: Block = {"name": call.name, "args": arguments_of(call, self._losses)}
        if call.id:
            told["id"] = call.id
        block: Block = {"functionCall": told}
        if call.signature and call.wire == "gemini":
            block["thoughtSignature"] = call.signature
        elif call.signature:
            self._losses.lose("reasoning")
        if self._signs and not self._calls:  # only the first of a step is signed
            block.setdefault("thoughtSignature", _UNPROVEN)
        return block

    def _reasoning(self, thought: Reasoning) -> Block | None:
        if thought.wire != "gemini" or not thought.signature:
            self._losses.lose("reasoning")
            return None
        block: Block = {"text": thought.text, "thoughtSignature": thought.signature}
        if thought.text:
            block["thought"] = True
        return block

    def _result(self, result: ToolResult) -> Block:
        """What a tool said stays text: nothing is read into it. Several texts are a list."""
        name = self._called.get(result.call_id)
        if name is None:
            message = f"a result answers the call {result.call_id[:80]!r}: there is none"
            raise Refusal("invalid_parameter", message, param=self._losses.name("turns"))
        if result.cache is not None:
            self._losses.lose("cache")
        texts: list[str] = []
        media: list[Block] = []
        for part in result.parts:
            block = self._block(part)
            if block is not None and "text" in block:
                texts.append(block["text"])
            elif block is not None:
                media.append(block)
        output = texts if len(texts) > 1 else "".join(texts)
        told: Block = {"name": name, "response": {"error" if result.is_error else "output": output}}
        if result.call_id:
            told["id"] = result.call_id
        if media:
            told["parts"] = media
        return told

    def _medium(self, part: Image | Document) -> Block | None:
        if isinstance(part, Image):
            if part.detail is not None:
                self._losses.lose("detail")
        else:
            if part.title is not None:
                self._losses.lose("title")
            if part.context is not None:
                self._losses.lose("context")
            if part.text is not None:
                return {"text": part.text}
        media_type = part.media_type or _type_of(part.url)
        typed = {} if media_type is None else {"mimeType": media_type}
        if part.data is not None:
            return {"inlineData": {**typed, "data": part.data}}
        if part.url is not None:
            return {"fileData": {**typed, "fileUri": part.url}}
        self._losses.lose("file_id")
        return None


def _type_of(url: str | None) -> str | None:
    path = (url or "").partition("?")[0]
    return _TYPES.get(path.rpartition(".")[2].lower())
