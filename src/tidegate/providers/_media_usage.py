"""The `usage` of what is no chat: tokens of text, images and audio, or seconds of audio."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Units, Usage
from tidegate.providers._usage import CONFLICT, are_plausible

# No file is as long: three days of audio.
_MOST_S: Final = 259_200.0


class _Details(Struct):
    text_tokens: int | None = None
    image_tokens: int | None = None
    audio_tokens: int | None = None


class _Usage(Struct):
    """OpenAI's of images and audio, and the chats' names of the same, which engines write."""

    type: Any = None
    seconds: Any = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    input_token_details: _Details | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None
    prompt_audio_seconds: Any = None


def read_media_usage(told: Any, *, wants_output: bool) -> tuple[Usage | None, Units] | None:
    """Tokens and other units; None where there are none. Figures that cannot be true are marked.

    `wants_output`: the endpoint makes tokens. One that only reads may tell but their total.
    """
    if told is None:
        return None
    try:
        usage = msgspec.convert(told, _Usage)
    except msgspec.ValidationError:
        return CONFLICT, Units()
    into = usage.prompt_tokens if usage.input_tokens is None else usage.input_tokens
    out = usage.completion_tokens if usage.output_tokens is None else usage.output_tokens
    length_s = seconds(usage.seconds or usage.prompt_audio_seconds)
    if into is None and out is None and (length_s is not None or usage.type == "duration"):
        return None, Units(audio_s=length_s)
    if not wants_output:
        into = into or usage.total_tokens
        out = out or 0
    total = usage.total_tokens
    heard = _heard(usage, into, out)
    if heard is not None:
        into = (into or 0) + heard
    if into is None or out is None or into <= 0 or not are_plausible(into, out, total):
        return CONFLICT, Units(audio_s=length_s)
    if total is not None and total != into + out:
        return CONFLICT, Units(audio_s=length_s)
    read = usage.input_tokens_details or usage.input_token_details or _Details()
    made = usage.output_tokens_details or _Details()
    if not _fit(read, into) or not _fit(made, out):
        return CONFLICT, Units(audio_s=length_s)
    shown = out if wants_output else None
    of_audio = read.audio_tokens if heard is None else heard
    tokens = Usage(into, None, None, shown, None, False, of_audio, made.audio_tokens)
    return tokens, Units(
        image_input_tokens=read.image_tokens,
        image_output_tokens=made.image_tokens,
        audio_s=length_s,
    )


def seconds(told: Any) -> float | None:
    """How long some audio is; None where nobody says it, or nobody can believe it."""
    if isinstance(told, str):  # as whisper-1 writes it
        try:
            told = float(told)
        except ValueError:
            return None
    if not isinstance(told, (int, float)) or isinstance(told, bool):
        return None
    return float(told) if 0 < told <= _MOST_S else None


def _heard(usage: _Usage, into: int | None, out: int | None) -> int | None:
    """Tokens of audio where they are told as Mistral does: in the total alone."""
    if usage.prompt_audio_seconds is None or usage.total_tokens is None:
        return None
    parts = (into or 0, out or 0)
    rest = usage.total_tokens - sum(parts)
    return rest if rest > 0 and min(parts) >= 0 else None


def _fit(details: _Details, whole: int) -> bool:
    parts = [it or 0 for it in (details.text_tokens, details.image_tokens, details.audio_tokens)]
    return min(parts) >= 0 and sum(parts) <= whole
