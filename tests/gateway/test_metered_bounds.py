"""What requests that are no chat come to at most, and those that have no bound or are nothing."""

from typing import Any

import pytest
from msgspec import Raw
from tests.text.test_heard import AUDIO
from tests.text.test_wav import wav

from tidegate.core.metered import LEAST_AUDIO_BYTES_PER_S, Form, Metered, Part
from tidegate.core.outcome import Refusal
from tidegate.gateway import metered_bounds
from tidegate.gateway.metered_bounds import bounds
from tidegate.gateway.metered_request import Judged


def form(*parts: tuple[str, bytes, str | None]) -> Form:
    return Form(b"xx", tuple(Part(name, memoryview(data), file) for name, data, file in parts))


def of(endpoint: Any, body_bytes: int = 100, files: Form | None = None, **said: Any) -> Metered:
    return bounds(endpoint, Judged(**said), files, body_bytes)


def test_images_by_how_many_of_what_size() -> None:
    found = of("images", n=3, size="1024x1024", quality="hd", prompt="a")
    assert (found.images, found.image_size, found.image_quality) == (3, "1024x1024", "hd")
    assert (of("images", prompt="a").images, found.text_bytes) == (1, 100)
    edited = of("image_edits", files=form(("image[]", b"1", "a"), ("mask", b"2", "b")))
    assert edited.input_images == 2 and edited.text_bytes == 0


def test_audio_is_no_longer_than_its_bytes_and_exactly_as_long_as_its_head_says() -> None:
    packed = of("transcriptions", files=form(("file", b"#!AMR\n" + bytes(994), "a.amr")))
    assert packed.audio_s == 1000 / LEAST_AUDIO_BYTES_PER_S and not packed.audio_is_exact
    plain = of("translations", files=form(("prompt", b"hi", None), ("file", wav(3.0), "a.wav")))
    assert plain.audio_s == pytest.approx(3.0) and plain.audio_is_exact
    assert plain.text_bytes == 2


@pytest.mark.parametrize("name", ["speech.mp3", "voice.ogg", "file.m4a", "live.webm", "file.flac"])
def test_audio_that_is_compressed_is_as_long_as_its_frames(name: str) -> None:
    told = (AUDIO / name).read_bytes()
    found = of("transcriptions", files=form(("file", told, name)))
    assert found.audio_is_exact and 2.0 <= found.audio_s < 2.2
    more = of("transcriptions", files=form(("file", told[:-9] + b"?" * 500, name)))
    assert more.audio_s >= 1.9


def test_speech_by_its_characters_whatever_their_bytes() -> None:
    assert of("speech", input="h\u00e9\u2603\U0001f600").characters == 4


def test_a_ranking_by_its_documents() -> None:
    documents = [Raw(b'"aa"'), Raw(b'{"text":"b"}')]
    found = of("rerank", 50, query="q", documents=documents)
    assert (found.documents, found.search_units, found.query_bytes) == (2, 1, 50 - 16)


def test_images_to_be_judged_are_counted() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text"}, 5]
    assert of("moderations", input=parts).input_images == 1
    assert of("moderations", input="hi").input_images == 0


@pytest.mark.parametrize(
    ("endpoint", "said", "param"),
    [
        ("rerank", {"query": "q", "documents": []}, "documents"),
        ("rerank", {"query": "q", "documents": [Raw(b"5")]}, "documents"),
        ("rerank", {"query": "q", "documents": [Raw(b'"a"')] * 4}, "documents"),
        ("rerank", {"query": "", "documents": [Raw(b'"a"')]}, "query"),
        ("rerank", {"query": 5, "documents": [Raw(b'"a"')]}, "query"),
        ("speech", {"input": ""}, "input"),
        ("speech", {"input": ["a"]}, "input"),
        ("moderations", {"input": {}}, "input"),
        ("moderations", {"input": []}, "input"),
    ],
)
def test_what_is_nothing_or_too_much_is_refused_by_name(
    endpoint: Any, said: dict[str, Any], param: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered_bounds, "MAX_DOCUMENTS", 3)
    with pytest.raises(Refusal) as refused:
        of(endpoint, **said)
    assert refused.value.param == param


def test_a_file_that_is_empty_is_refused() -> None:
    with pytest.raises(Refusal):
        of("transcriptions", files=form(("file", b"", "a.wav")))
