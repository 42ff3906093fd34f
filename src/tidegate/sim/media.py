"""What the simulated engine answers beside texts: rankings, moderations, images and audio.

Answers are simple and the same each time: a document is as relevant as the share of the query's
words that it holds, an image is one grey pixel, speech is silence as long as its text.
"""

import base64
import struct
import zlib
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.metered import Form
from tidegate.gateway.http.reader import Incoming
from tidegate.sim import text
from tidegate.sim.asked import Problem
from tidegate.text.form import FormProblem, read_form
from tidegate.text.wav import wav_s

SAMPLE_HZ: Final = 8_000
CHARACTERS_PER_S: Final = 15
MAX_IMAGES: Final = 10
MAX_SPEECH_CHARS: Final = 4_096
_LEAST_BYTES_PER_S: Final = 16_000
_UNSAFE: Final = ("kill", "bomb", "attack")
_FLAGS: Final = ("harassment", "hate", "self-harm", "sexual", "violence")


class Rerank(Struct):
    query: str
    documents: list[Any]
    model: str | None = None
    top_n: int | None = None
    return_documents: bool = False


class Moderation(Struct):
    input: Any
    model: str | None = None


class Images(Struct):
    prompt: str
    model: str | None = None
    n: int = 1
    size: str = "1024x1024"
    quality: str = "standard"
    stream: bool = False


class Speech(Struct):
    input: str
    model: str | None = None
    voice: Any = None
    response_format: str = "wav"
    stream_format: str = "audio"


class Heard(Struct):
    """A transcription's form."""

    audio_s: float
    model: str | None = None
    response_format: str = "json"
    stream: bool = False


def rank(asked: Rerank) -> dict[str, Any]:
    """The most relevant first; vLLM's usage."""
    wanted = set(asked.query.lower().split())
    texts = [one.get("text", "") if isinstance(one, dict) else str(one) for one in asked.documents]
    scored = []
    for index, one in enumerate(texts):
        shared = wanted & set(one.lower().split())
        scored.append((len(shared) / max(len(wanted), 1), index))
    scored.sort(key=lambda it: (-it[0], it[1]))
    results: list[dict[str, Any]] = []
    for score, index in scored[: asked.top_n]:
        result: dict[str, Any] = {"index": index, "relevance_score": round(score, 6)}
        if asked.return_documents:
            result["document"] = {"text": texts[index]}
        results.append(result)
    query = len(text.pieces(asked.query))
    tokens = sum(query + len(text.pieces(one)) for one in texts)
    return {"id": "rerank-sim", "results": results, "usage": {"total_tokens": max(tokens, 1)}}


def moderate(asked: Moderation) -> dict[str, Any]:
    """One verdict for each input: what names violence is violent."""
    several = asked.input if isinstance(asked.input, list) else [asked.input]
    results = []
    for one in several:
        said = str(one).lower()
        violent = any(word in said for word in _UNSAFE)
        found = {name: violent and name == "violence" for name in _FLAGS}
        scores = {name: 0.9 if flagged else 0.01 for name, flagged in found.items()}
        results.append({"flagged": violent, "categories": found, "category_scores": scores})
    return {"id": "modr-sim", "model": asked.model, "results": results}


def draw(count: int) -> list[dict[str, str]]:
    """So many images, each a PNG of one pixel. Problem."""
    if not 1 <= count <= MAX_IMAGES:
        raise Problem(400, f"n must be 1 to {MAX_IMAGES}", "n")
    return [{"b64_json": base64.b64encode(_pixel(at)).decode()} for at in range(count)]


def _pixel(shade: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    row = zlib.compress(bytes([0, 128 + shade]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def speak(asked: Speech) -> tuple[bytes, bytes]:
    """(a WAV as long as the text takes to be said, its type). Problem."""
    if not 1 <= len(asked.input) <= MAX_SPEECH_CHARS:
        raise Problem(400, f"input must have 1 to {MAX_SPEECH_CHARS} characters", "input")
    samples = bytes(len(asked.input) * SAMPLE_HZ // CHARACTERS_PER_S)
    if asked.response_format == "pcm":
        return samples, b"audio/pcm"
    if asked.response_format != "wav":
        raise Problem(400, "this engine speaks wav and pcm alone", "response_format")
    head = struct.pack("<4sI4s", b"RIFF", 36 + len(samples), b"WAVE")
    head += struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_HZ, SAMPLE_HZ, 1, 8)
    return head + struct.pack("<4sI", b"data", len(samples)) + samples, b"audio/wav"


def form_of(incoming: Incoming) -> Form:
    """Problem where the body is no form."""
    try:
        return read_form(incoming.head.headers.get(b"content-type", b""), incoming.body)
    except FormProblem as problem:
        raise Problem(400, str(problem), problem.name) from None


def fields_of(form: Form) -> dict[str, str]:
    plain = [part for part in form.parts if part.filename is None]
    return {part.name: bytes(part.content).decode(errors="replace") for part in plain}


def hear(form: Form) -> Heard:
    """How long the file is, and how its text is wanted. Problem."""
    files = [part.content for part in form.parts if part.name == "file"]
    if not files:
        raise Problem(400, "file is missing", "file")
    fields = fields_of(form)
    known_s = wav_s(files[0])
    return Heard(
        audio_s=len(files[0]) / _LEAST_BYTES_PER_S if known_s is None else known_s,
        model=fields.get("model"),
        response_format=fields.get("response_format", "json"),
        stream=fields.get("stream") == "true",
    )


def transcript(heard: Heard) -> tuple[bytes, bytes]:
    """(the body, its type) of a whole answer. Problem."""
    said, length_s = said_in(heard), round(heard.audio_s, 3)
    usage = {"type": "duration", "seconds": length_s}
    end = f"{int(length_s // 3600):02}:{int(length_s // 60) % 60:02}:{int(length_s) % 60:02}"
    match heard.response_format:
        case "json":
            return msgspec.json.encode({"text": said, "usage": usage}), b"application/json"
        case "verbose_json":
            told = {"language": "english", "duration": length_s, "segments": []}
            return msgspec.json.encode({"text": said, **told, "usage": usage}), b"application/json"
        case "text":
            return said.encode() + b"\n", b"text/plain; charset=utf-8"
        case "srt":
            return f"1\n00:00:00,000 --> {end},000\n{said}\n".encode(), b"text/plain"
        case "vtt":
            return f"WEBVTT\n\n00:00:00.000 --> {end}.000\n{said}\n".encode(), b"text/vtt"
    raise Problem(400, "response_format is unknown", "response_format")


def said_in(heard: Heard) -> str:
    return f"{heard.audio_s:.1f} seconds of audio."
