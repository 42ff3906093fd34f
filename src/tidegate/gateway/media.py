"""media: what of a prompt is no text, and so is not bounded by its bytes: images and files."""

import contextlib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import OPENAI_RESPONSES, Ask, turns_of
from tidegate.core.model_facts import Modality
from tidegate.core.plan import Target

# The member of a message's part that holds it, in the dialects that providers and engines take.
# Audio is not here: it is sent within the prompt, and has many bytes for each of its tokens.
_IMAGES: Final = frozenset({"image_url", "image", "input_image", "image_pil", "image_embeds"})
_FILES: Final = frozenset(
    {"file", "file_id", "file_url", "file_data", "input_file", "document", "source", "video"}
    | {"video_url", "audio_url", "audio"}
)


class Media(NamedTuple):
    """How many images and files there are, and how much of the body is theirs."""

    images: int = 0
    files: int = 0
    bytes: int = 0

    def most_tokens(self, target: Target) -> int:
        """What they can be at most: never more than the model's context holds."""
        most = self.images * target.image_tokens + self.files * target.file_tokens
        return most if target.context_tokens is None else min(most, target.context_tokens)


class _Message(Struct):
    content: Raw = Raw(b"null")


class _Item(_Message):
    """Of Responses: `output` holds what a tool has answered."""

    output: Raw = Raw(b"null")


class _Kind(Struct):
    type: str = ""


_messages = msgspec.json.Decoder(list[_Message]).decode
_items = msgspec.json.Decoder(list[_Item]).decode
_parts = msgspec.json.Decoder(list[dict[str, Raw] | str]).decode
_kind = msgspec.json.Decoder(_Kind).decode
_LIST: Final = 0x5B
# Kinds of Anthropic's `source` that are text, written out.
_TEXTS: Final = frozenset({"text", "content"})
_IMAGE: Final = Raw(b'"image"')
_NONE: Final = Media()
# A shorter body is taken for text: what it may hold besides is not worth the look.
_SHORT_BYTES: Final = 16 * 1024
_UNREADABLE: Final = Media(files=1)
_AUDIO: Final = frozenset({"input_audio", "audio", "audio_url"})
_VIDEO: Final = frozenset({"video", "video_url"})
# A document says so ahead of its data.
_PDF: Final = b"application/pdf"
_MOST_HEAD_BYTES: Final = 512


def media(ask: Ask) -> Media:
    """The prompt's images and files. What has a shape of its own counts as a file."""
    if not may_have_parts(ask):
        return _NONE
    turns = turns_of(ask)
    if turns is None or memoryview(turns)[0] != _LIST:
        return _NONE
    images = files = size = 0
    try:
        for part in _every_part(ask, turns):
            held = held_in(part)
            if held:
                image = _is_image(part, held)
                images += image
                files += not image
                size += sum(len(memoryview(part[name])) for name in held)
    except (msgspec.DecodeError, RecursionError):
        return _UNREADABLE
    return Media(images, files, size)


def kinds(ask: Ask) -> AbstractSet[Modality]:
    """What the prompt holds besides text, as far as its parts say."""
    found: set[Modality] = set()
    turns = turns_of(ask)
    if turns is None or memoryview(turns)[0] != _LIST:
        return found
    with contextlib.suppress(msgspec.DecodeError, RecursionError):  # a shape of its own
        for part in _every_part(ask, turns):
            held = held_in(part)
            if _is_image(part, held):
                found.add("image")
            elif not part.keys().isdisjoint(_AUDIO):
                found.add("audio")
            elif not part.keys().isdisjoint(_VIDEO):
                found.add("video")
            elif any(_PDF in bytes(part[name])[:_MOST_HEAD_BYTES] for name in held):
                found.add("pdf")
    return found


def _is_image(part: Mapping[str, Raw], held: AbstractSet[str]) -> bool:
    return not held.isdisjoint(_IMAGES) or (bool(held) and part.get("type") == _IMAGE)


def _every_part(ask: Ask, turns: Raw) -> Iterator[dict[str, Raw]]:
    """Each part of each message, then those of what tools have answered. DecodeError."""
    contents, inner = _contents(ask, turns), list[Raw]()
    for parts in (contents, inner):  # what tools have answered is found in the first
        for told in parts:
            if memoryview(told)[0] != _LIST:
                continue
            for part in _parts(told):
                if isinstance(part, str):
                    continue
                if "content" in part and parts is contents:
                    inner.append(part["content"])
                yield part


def _contents(ask: Ask, turns: Raw) -> list[Raw]:
    if ask.dialect != OPENAI_RESPONSES:
        return [message.content for message in _messages(turns)]
    return [told for item in _items(turns) for told in (item.content, item.output)]


def may_have_parts(ask: Ask) -> bool:
    """Whether there is a list beside that of the messages: there is none where each is a text."""
    return ask.body.find(b"[", ask.body.find(b"[") + 1) >= 0


def held_in(part: Mapping[str, Raw]) -> AbstractSet[str]:
    """The members of a message's part that hold its image, or else its file. DecodeError where its
    source has a shape of its own."""
    held = part.keys() & _IMAGES or part.keys() & _FILES
    if "source" in held and _kind(part["source"]).type in _TEXTS:
        return held - {"source"}
    return held


def text_bytes(ask: Ask) -> int:
    """About how many of the body's bytes are text."""
    size = len(ask.body)
    if size < _SHORT_BYTES:
        return size
    return size - media(ask).bytes if ask.metered is None else ask.metered.text_bytes
