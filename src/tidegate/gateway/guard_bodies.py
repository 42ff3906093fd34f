"""guard_bodies: where the texts of whole answers stand, by endpoint, and the body with others in
their place.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core.receipt import Endpoint
from tidegate.core.rewriting import NO_ANSWER, TOKENS
from tidegate.gateway.guard_texts import Clean, cleaned
from tidegate.text.strict_json import UNREADABLE

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_raws: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_pictures: Final = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_text: Final = msgspec.json.Decoder(str).decode
_encode: Final = msgspec.json.Encoder().encode
_TEXT: Final = "text"
# What tells a transcript again, by the piece.
_TOLD_AGAIN: Final = ("segments", "words", "logprobs", "tokens")
# Members whose own members are anybody's.
_ANYBODYS: Final = frozenset({"input", "arguments", "action", "usage"})
_DATA, _REVISED, _AUDIO = "data", "revised_prompt", "audio"
# (the body, what a text becomes): None where nothing in it is another.
Body = Callable[[bytes, Clean], bytes | None]


def said(body: bytes, clean: Clean) -> bytes | None:
    """Of a chat or a completion in whichever wire: all but what is known for no text of a model."""
    try:
        value = _decode(body)
    except UNREADABLE:
        return None
    changed = {}
    for name, it in value.items():
        if name not in NO_ANSWER and isinstance(it, str | list | dict):
            made = cleaned(it, clean, keeps_sealed=False)
            if made is not it:
                changed[name] = made
    if not changed:
        return None
    kept = {name: it for name, it in {**value, **changed}.items() if name not in TOKENS}
    return _encode(_untold(kept))


def transcript(body: bytes, clean: Clean) -> bytes | None:
    """Of sound, as JSON or as text alone. What tells its text again goes with what was changed."""
    try:
        value = _decode(body)
    except UNREADABLE:
        text = body.decode("utf-8", "replace")
        made = clean(text)
        return None if made == text else made.encode()
    told = value.get(_TEXT)
    if not isinstance(told, str) or (shown := clean(told)) == told:
        return None
    kept = {name: it for name, it in value.items() if name not in _TOLD_AGAIN}
    return _encode({**kept, _TEXT: shown})


def pictures(body: bytes, clean: Clean) -> bytes | None:
    """Of images: what their model was told to draw, in its own words."""
    if _REVISED.encode() not in body:
        return None
    try:
        value = _raws(body)
        images = _pictures(value[_DATA])
        told = [_text(it[_REVISED]) if _REVISED in it else "" for it in images]
    except (*UNREADABLE, KeyError):
        return None
    made = [clean(text) if text else text for text in told]
    if made == told:
        return None
    for image, text in zip(images, made, strict=True):
        if _REVISED in image:
            image[_REVISED] = Raw(_encode(text))
    return _encode({**value, _DATA: images})


BODIES: Final[Mapping[Endpoint, Body]] = {
    "chat": said,
    "completions": said,
    "transcriptions": transcript,
    "translations": transcript,
    "images": pictures,
    "image_edits": pictures,
}


def soundless(value: dict[str, Any]) -> dict[str, Any]:
    """A message or a part of one, without sound that a model has made, and what is said in it:
    nobody can look through that."""
    return {**value, _AUDIO: None} if isinstance(value.get(_AUDIO), dict) else value


def without_sound(body: bytes) -> bytes:
    """The same of a whole answer."""
    if _AUDIO.encode() not in body:
        return body
    try:
        value = _decode(body)
    except UNREADABLE:
        return body
    choices = value.get("choices")
    messages = [
        choice["message"]
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict)
    ]
    speaking = [it for it in messages if isinstance(it.get(_AUDIO), dict)]
    for message in speaking:
        message[_AUDIO] = None
    return _encode(value) if speaking else body


def _untold(value: Any) -> Any:
    """Without what tells every token."""
    if isinstance(value, list):
        return [_untold(it) for it in value]
    if not isinstance(value, dict):
        return value
    return {
        name: None if name in TOKENS else it if name in _ANYBODYS else _untold(it)
        for name, it in value.items()
    }
