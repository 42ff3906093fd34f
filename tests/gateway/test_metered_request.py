"""What is no chat is read strictly: what two parsers could read differently never goes further."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ask import Ask
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.accept import accept
from tidegate.gateway.entry import entries
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.metered_request import AUDIO

ENTRIES = entries({})
SPEECH = {"model": "m", "input": "hello", "voice": "v"}
RANKING = {"model": "m", "query": "q", "documents": ["a"]}
KIND = b"multipart/form-data; boundary=xx"


def field(name: str, value: str, more: str = "") -> bytes:
    return (
        f'--xx\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()
    )


def file(name: str = "file", data: str = "RIFF") -> bytes:
    return field(name, data, '; filename="a.wav"')


def accepted(path: str, body: Any, kind: bytes | None = None) -> tuple[Ask, Receipt]:
    entry = ENTRIES[path.encode()]
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    if kind is None:
        is_form = path.endswith(("edits", "variations", "transcriptions", "translations"))
        kind = KIND if is_form else b"application/json"
        data += b"--xx--\r\n" if is_form else b""
    receipt = Receipt("", 0.0, "", entry.endpoint)
    head = Head(b"POST", path.encode(), headers={b"content-type": kind})
    return accept(Incoming(head, 0.0, data), entry, receipt), receipt


def refused(path: str, body: Any, kind: bytes | None = None) -> Refusal:
    with pytest.raises(Refusal) as raised:
        accepted(path, body, kind)
    return raised.value


@pytest.mark.parametrize("path", ["/v1/rerank", "/rerank", "/v2/rerank"])
def test_a_ranking_by_each_of_its_paths(path: str) -> None:
    ask, receipt = accepted(path, {**RANKING, "user": "u-1", "odd": 5})
    assert (ask.endpoint, ask.model, ask.stream, ask.dialect) == ("rerank", "m", False, "media")
    assert (receipt.documents, receipt.end_user, receipt.model_asked) == (1, "u-1", "m")
    assert bytes(ask.members["odd"]) == b"5"


def test_what_an_answer_may_be() -> None:
    ask, receipt = accepted("/v1/audio/speech", SPEECH)
    assert ask.metered is not None and ask.metered.streams == AUDIO and ask.stream
    assert receipt.stream and receipt.characters == 5
    ask, _ = accepted("/v1/audio/speech", {**SPEECH, "stream_format": "sse"})
    assert ask.metered is not None and ask.metered.events
    form = field("model", "m") + file()
    ask, _ = accepted("/v1/audio/transcriptions", form + field("stream", "true"))
    assert ask.metered is not None and ask.metered.events and ask.stream
    ask, _ = accepted("/v1/audio/transcriptions", form + field("response_format", "srt"))
    assert ask.metered is not None and b"text/plain" in ask.metered.takes and not ask.stream
    ask, receipt = accepted("/v1/images/generations", {"model": "m", "prompt": "p", "stream": True})
    assert ask.metered is not None and ask.metered.events and ask.stream


def test_a_form_s_fields_are_members() -> None:
    body = field("model", "m") + field("n", "3") + field("size", "1x1") + file("image[]")
    ask, receipt = accepted(
        "/v1/images/edits", body + file("image[]") + field("prompt", 'a "b"\r\n')
    )
    assert ask.metered is not None and (ask.metered.images, ask.metered.input_images) == (3, 2)
    assert receipt.image_size == "1x1"
    assert msgspec.json.decode(ask.members["prompt"]) == 'a "b"\r\n'
    accepted("/audio/transcriptions", field("model", "m") + file() + field("include[]", "a") * 2)


FORM = field("model", "m")
NOT_TAKEN: list[tuple[str, Any, str | None]] = [
    ("/v1/audio/transcriptions", FORM, "file"),
    ("/v1/audio/transcriptions", file(), "model"),
    ("/v1/audio/transcriptions", FORM * 2 + file(), None),
    ("/v1/audio/transcriptions", FORM + file() * 2, None),
    ("/v1/audio/transcriptions", file("model") + file(), "model"),
    ("/v1/audio/transcriptions", FORM + field("file", "RIFF"), "file"),
    ("/v1/audio/transcriptions", FORM + file() + file("other"), "other"),
    ("/v1/audio/transcriptions", FORM + file() + field("Stream", "true"), "Stream"),
    ("/v1/audio/transcriptions", FORM + file() + field("stream", "yes"), "stream"),
    ("/v1/audio/transcriptions", field("model", "m\x07") + file(), "model"),
    ("/v1/audio/transcriptions", field("model", "m" * 257) + file(), "model"),
    (
        "/v1/audio/transcriptions",
        FORM + file() + field("response_format", "a\nb"),
        "response_format",
    ),
    ("/v1/images/edits", FORM + field("prompt", "p"), "image"),
    ("/v1/images/edits", FORM + file("image"), "prompt"),
    ("/v1/images/edits", FORM + field("prompt", "p") + file("image") + field("n", "0"), "n"),
    ("/v1/images/edits", FORM + field("prompt", "p") + file("image") + field("n", "99999"), "n"),
    ("/v1/images/variations", FORM + file("image") * 2, None),
    ("/v1/images/generations", {"model": "m"}, "prompt"),
    ("/v1/images/generations", {"model": "m", "prompt": "p", "n": 10**9}, "n"),
    ("/v1/images/generations", {"model": "m", "prompt": "p", "n": -1}, "n"),
    ("/v1/images/generations", {"model": "m", "prompt": "p", "n": 1.5}, "n"),
    ("/v1/images/generations", {"model": "m", "prompt": "p", "size": "1x1\r\n"}, "size"),
    ("/v1/images/generations", {"model": "m", "prompt": "p", "quality": 5}, "quality"),
    ("/v1/images/generations", {"model": "m", "prompt": ["p"]}, "prompt"),
    ("/v1/images/generations", {"model": "a\r\nb: c", "prompt": "p"}, "model"),
    ("/v1/rerank", {**RANKING, "documents": "a"}, "documents"),
    ("/v1/rerank", {"model": "m", "documents": ["a"]}, "query"),
    ("/v1/rerank", {"query": "q", "documents": ["a"]}, "model"),
    ("/v1/audio/speech", {"model": "m"}, "input"),
    ("/v1/moderations", {"model": "m"}, "input"),
    ("/v1/moderations", {"input": "x"}, "model"),
    ("/v1/audio/speech", b'{"model":"m","input":"a","input":"b"}', "input"),
    ("/v1/audio/speech", b'{"model":"m","Input":"a"}', "Input"),
    ("/v1/audio/speech", b'{"model":"m","input":"\\ud800"}', None),
    ("/v1/audio/speech", b'{"model":"m","input":"\xff"}', None),
    ("/v1/audio/speech", b'\xef\xbb\xbf{"model":"m","input":"a"}', None),
    ("/v1/rerank", b'{"model":"m","query":"q","documents":[' + b"[" * 70 + b"]" * 70 + b"]}", None),
    ("/v1/images/generations", b'{"model":"m","prompt":"p","n":1' + b"0" * 100_000 + b"}", None),
    ("/v1/images/generations", b'{"model":"m","prompt":"p","n":NaN}', None),
    ("/v1/rerank", b"[]", None),
]


@pytest.mark.parametrize("row", range(len(NOT_TAKEN)))
def test_what_is_wrong_is_refused_by_name(row: int) -> None:
    path, body, param = NOT_TAKEN[row]
    no = refused(path, body)
    assert no.code.fault == "caller" and no.code.status == 400
    assert param is None or no.param == param


@pytest.mark.parametrize("name", ["url", "file_url", "file_id", "file_base64", "URL"])
@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/audio/translations"])
def test_audio_that_is_elsewhere_could_not_be_counted(path: str, name: str) -> None:
    body = field("model", "m") + file() + field(name, "https://example.com/ten-hours.mp3")
    no = refused(path, body)
    assert (no.code.name, no.param) == ("unsupported_parameter", name)


def test_the_type_of_a_body_is_what_the_path_takes() -> None:
    assert refused("/v1/audio/transcriptions", b"{}", b"application/json").code.status == 415
    assert refused("/v1/audio/speech", b"", KIND).code.status == 415
    assert refused("/v1/rerank", b"", KIND).code.status == 415


@given(st.binary(max_size=120), st.integers(0, 300), st.sampled_from(sorted(ENTRIES)))
def test_nothing_but_a_refusal_comes_of_noise(noise: bytes, at: int, path: bytes) -> None:
    form = FORM + field("prompt", "p") + file("image") + file() + b"--xx--\r\n"
    spoken = msgspec.json.encode({**SPEECH, **RANKING, "prompt": "p", "n": 2})
    for good, kind in ((form, KIND), (spoken, b"application/json")):
        for body in (good[:at] + noise + good[at:], noise):
            try:
                accepted(path.decode(), body, kind)
            except Refusal:
                continue
