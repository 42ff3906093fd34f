"""OpenAI's wire of what is no chat: requests with their target's model, and what answers used."""

from typing import Any

import msgspec
import pytest
from tests.providers.media_asks import FORM, TARGET, asked, form_asked, ranked

from tidegate.core.ask import Answer, Ask, Units, Usage
from tidegate.core.outcome import Failure
from tidegate.providers._media import Media
from tidegate.text.form import read_form

IMAGES = {"created": 1, "data": [{"b64_json": "AA=="}, {"url": "http://h/1.png"}]}


def read(ask: Ask, told: Any) -> Answer:
    body = told if isinstance(told, bytes) else msgspec.json.encode(told)
    return Media().read_answer(ask, body)


def units(ask: Ask, told: Any) -> Units:
    found = read(ask, told).units
    assert found is not None
    return found


def test_a_body_goes_with_its_target_s_model_and_is_otherwise_what_came() -> None:
    out = Media().encode(asked("images", {"prompt": "a cat", "odd": [1]}), TARGET)
    assert out.path == b"/images/generations" and out.content_type is None
    assert out.body == b'{"model":"their-model","prompt":"a cat","odd":[1]}'


def test_a_form_goes_with_its_target_s_model() -> None:
    out = Media().encode(form_asked("transcriptions"), TARGET)
    assert out.path == b"/audio/transcriptions"
    assert out.content_type == b'multipart/form-data; boundary="xx"'
    parts = read_form(out.content_type, out.body).parts
    assert [(it.name, bytes(it.content)) for it in parts] == [
        ("model", b"their-model"),
        ("file", b"RIFF"),
    ]
    assert read_form(out.content_type, FORM).parts[1] == parts[1]


def test_images_are_counted_with_what_is_told_of_them() -> None:
    usage = {"input_tokens": 60, "output_tokens": 40, "total_tokens": 100}
    usage |= {"input_tokens_details": {"text_tokens": 10, "image_tokens": 50}}
    told = {**IMAGES, "size": "1024x1024", "quality": "high", "usage": usage}
    answer = read(asked("images", images=2), told)
    assert answer.usage == Usage(60, output_tokens=40)
    assert answer.units == Units(
        images=2, image_size="1024x1024", image_quality="high", image_input_tokens=50
    )
    plain = read(asked("images"), IMAGES)
    assert plain.usage is None and plain.units == Units(images=2)


def test_what_is_charged_besides_leaves_the_tokens_unknown() -> None:
    told = {**IMAGES, "usage": {"input_tokens": 1, "output_tokens": 1}, "svg_usage": {"model": "x"}}
    assert read(asked("images"), told).usage == Usage(conflict=True)


def test_a_transcript_tells_tokens_or_its_length() -> None:
    ask = form_asked("transcriptions")
    told = {"text": "hi", "usage": {"type": "duration", "seconds": 3.5}}
    assert units(ask, told).audio_s == 3.5 and read(ask, told).usage is None
    assert units(ask, {"text": "hi", "duration": "8.47"}).audio_s == 8.47
    usage = {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19}
    usage["input_token_details"] = {"text_tokens": 4, "audio_tokens": 10}
    found = read(ask, {"text": "", "usage": usage})
    assert found.usage == Usage(14, output_tokens=5, audio_input_tokens=10)


def test_a_transcript_that_is_text_says_nothing_of_itself() -> None:
    ask = form_asked("transcriptions", takes=(b"application/json", b"text/plain"))
    assert ask.metered is not None
    ask.metered.came_as = b"text/plain"
    assert read(ask, b"hello\n") == Answer(None, None, None, None, b"", units=Units())
    with pytest.raises(Failure):
        read(ask, b"\xff")
    ask.metered.came_as = b""
    assert read(ask, {"text": "hi"}).units == Units()


def test_a_ranking_names_documents_that_were_sent() -> None:
    told: dict[str, Any] = {"results": [{"index": 1, "relevance_score": 0.5}]}
    ask = ranked("a", "b")
    assert units(ask, told) == Units()
    billed = {**told, "meta": {"billed_units": {"search_units": 2.0}}}
    assert units(ask, billed).search_units == 2
    usage = read(ask, {**told, "usage": {"total_tokens": 9}}).usage
    assert usage == Usage(9)
    for odd in (2, -1, "1", None):
        with pytest.raises(Failure):
            read(ask, {"results": [{"index": odd, "relevance_score": 0.5}]})
    with pytest.raises(Failure):
        read(ask, {"results": told["results"] * 2})


@pytest.mark.parametrize("told", [0, -1, 1.5, 10**9, "2", True, None])
def test_searches_that_nobody_can_have_made_are_unknown(told: Any) -> None:
    body = {"results": [], "meta": {"billed_units": {"search_units": told}}}
    assert units(ranked("a"), body).search_units is None


@pytest.mark.parametrize("endpoint", ["images", "moderations", "rerank", "transcriptions"])
def test_an_error_inside_an_answer_is_one(endpoint: Any) -> None:
    ask = ranked("a") if endpoint == "rerank" else asked(endpoint)
    with pytest.raises(Failure) as raised:
        read(ask, {"error": {"message": "slow down", "code": "429"}})
    assert raised.value.kind == "rate_limited"
    for nothing in ({}, {"data": []}, b"<html>", b"", b"[]"):
        with pytest.raises(Failure) as raised:
            read(ask, nothing)
        assert raised.value.kind == "malformed"


def test_speech_is_never_a_whole_answer() -> None:
    with pytest.raises(Failure):
        read(asked("speech"), {"data": [1]})
