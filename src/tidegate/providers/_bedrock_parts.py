"""The parts of a conversation as Converse's content blocks."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tidegate.core.conversation import (
    CacheMark,
    Document,
    Image,
    Part,
    Reasoning,
    Refused,
    Text,
    ToolCall,
    ToolResult,
)
from tidegate.core.losses import Losses
from tidegate.providers._bedrock_models import Traits
from tidegate.providers._calls import arguments_of, safe_id

Block = dict[str, Any]

_IMAGES: Final = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_TTLS: Final = frozenset({"5m", "1h"})
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_UNSAFE_IN_IDS: Final = re.compile(r"[^a-zA-Z0-9_.:-]")
MAX_NAME_CHARS: Final = 200
# Room for the number that keeps two names apart.
_NUMBER_CHARS: Final = 6
_UNTITLED: Final = "document"


class Blocks:
    """Writes the parts of one request, and remembers what must be different within it."""

    __slots__ = ("_losses", "_names", "_traits")

    def __init__(self, losses: Losses, traits: Traits) -> None:
        self._losses = losses
        self._traits = traits
        self._names: set[str] = set()

    def of(self, parts: Iterable[Part]) -> list[Block]:
        """The blocks of one turn. A text of nothing but space is left out: Converse refuses it."""
        blocks: list[Block] = []
        for part in parts:
            # Most parts are of these, and to ask for the type is a fourth of isinstance's cost.
            if type(part) is Text:
                if part.text.strip():
                    blocks.append({"text": part.text})
            elif type(part) is ToolCall:
                blocks.append({"toolUse": self._call(part)})
            elif type(part) is ToolResult:
                blocks.append({"toolResult": self._result(part)})
            else:
                blocks += self._rare(part)
            cache = part.cache if type(part) is Text else _cache_of(part)
            if cache is not None:
                blocks += self.mark(cache)
        return blocks

    def _rare(self, part: Part) -> list[Block]:
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        if isinstance(part, (Image, Document)):
            return self._medium(part)
        return [{"text": part.text}] if isinstance(part, Refused) and part.text.strip() else []

    def mark(self, cache: CacheMark | None) -> list[Block]:
        """The cache point that stands after what is to be cached."""
        if cache is None:
            return []
        if not self._traits.caches or cache.ttl not in (None, *_TTLS):
            self._losses.lose("cache")
            return []
        point = {"type": "default"}
        if cache.ttl is not None:
            point["ttl"] = cache.ttl
        return [{"cachePoint": point}]

    def _call(self, call: ToolCall) -> Block:
        call_id = safe_id(call.id, _UNSAFE_IN_IDS)
        arguments = arguments_of(call, self._losses)
        return {"toolUseId": call_id, "name": call.name, "input": arguments}

    def _result(self, result: ToolResult) -> Block:
        block: Block = {
            "toolUseId": safe_id(result.call_id, _UNSAFE_IN_IDS),
            "content": self._result_content(result.parts),
        }
        if result.is_error and self._traits.marks_errors:
            block["status"] = "error"
        elif result.is_error:
            self._losses.lose("is_error")
        return block

    def _result_content(self, parts: Sequence[Text | Image | Document]) -> list[Block]:
        content: list[Block] = []
        for part in parts:
            if type(part) is Text:
                if part.text.strip():
                    content.append({"text": part.text})
            else:
                content += self._medium(part)
        return content

    def _reasoning(self, thought: Reasoning) -> list[Block]:
        """Only what the model's maker has signed or sealed is taken back by it."""
        own = thought.wire == self._traits.seals
        if own and thought.sealed is not None:
            return [{"reasoningContent": {"redactedContent": thought.sealed}}]
        if own and thought.signature is not None:
            said = {"text": thought.text, "signature": thought.signature}
            return [{"reasoningContent": {"reasoningText": said}}]
        self._losses.lose("reasoning")
        return []

    def _medium(self, part: Image | Document) -> list[Block]:
        return self._image(part) if isinstance(part, Image) else self._document(part)

    def _image(self, image: Image) -> list[Block]:
        if image.detail is not None:
            self._losses.lose("detail")
        kind = _IMAGES.get((image.media_type or _type_of(image.url)).lower())
        source = _source(image.data, image.url)
        if source is None or kind is None:
            self._lose_medium(image, known=source is not None)
            return []
        return [{"image": {"format": kind, "source": source}}]

    def _document(self, document: Document) -> list[Block]:
        block: Block = {}
        if document.text is not None:
            source: Block | None = {"text": document.text}
            kind: str | None = "txt"
        else:
            source = _source(document.data, document.url)
            kind = _DOCUMENTS.get((document.media_type or _type_of(document.url)).lower())
        if source is None or kind is None:
            self._lose_medium(document, known=source is not None)
            return []
        block |= {"format": kind, "name": self._name(document.title), "source": source}
        if document.context:
            block["context"] = document.context
        return [{"document": block}]

    def _lose_medium(self, medium: Image | Document, *, known: bool) -> None:
        """Named by what of it has no place: its type, where its source is `known`."""
        unknown = "file_id" if medium.url is None else "url"
        self._losses.lose("media_type" if known else unknown)

    def _name(self, title: str | None) -> str:
        """A name of the few letters that Converse takes, used once in a request: without the
        ending, which it takes for none."""
        plain = _NOT_IN_NAMES.sub(" ", (title or "").rpartition(".")[0] or title or "").strip()
        plain = plain[: MAX_NAME_CHARS - _NUMBER_CHARS].strip() or _UNTITLED
        name, number = plain, 1
        while name.lower() in self._names:
            number += 1
            name = f"{plain} {number}"
        self._names.add(name.lower())
        return name


def _cache_of(part: Part) -> CacheMark | None:
    """Where a mark stands within a result, the point stands behind it all."""
    if type(part) is Text or type(part) is ToolCall:
        return part.cache
    if type(part) is ToolResult and part.cache is None:
        for inner in part.parts:
            if inner.cache is not None:
                return inner.cache
        return None
    return None if isinstance(part, (Reasoning, Refused)) else part.cache


def _source(data: str | None, url: str | None) -> Block | None:
    """Bytes (base64 in JSON, as they came) or a place in S3; nobody fetches other addresses."""
    if data is not None:
        return {"bytes": data}
    if url is not None and url.startswith("s3://"):
        return {"s3Location": {"uri": url}}
    return None


def _type_of(url: str | None) -> str:
    """The media type that an address in S3 ends in."""
    ending = (url or "").rpartition(".")[2].lower()
    for types in (_IMAGES, _DOCUMENTS):
        for media_type, kind in types.items():
            if ending == kind or (ending == "jpg" and kind == "jpeg"):
                return media_type
    return ""
