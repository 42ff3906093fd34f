"""Streams of what is no chat: any cut, the end that counts, and bytes that are no events."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ask import Units, Usage
from tidegate.core.outcome import Failure
from tidegate.providers import _media_stream as streams
from tidegate.providers._media_stream import AudioReader, MediaStreamReader

USAGE = {"type": "tokens", "input_tokens": 4, "output_tokens": 6, "total_tokens": 10}


def event(**told: Any) -> bytes:
    return b"data: " + msgspec.json.encode(told) + b"\n\n"


SPEECH = [
    event(type="speech.audio.delta", audio="AAAA"),
    event(type="speech.audio.delta", audio="BBBB"),
    event(type="speech.audio.done", usage=USAGE),
]
IMAGES = [
    b": hello\n\n",
    event(type="image_generation.partial_image", b64_json="AA==", partial_image_index=0),
    b"event: image_generation.completed\n"
    + event(type="image_generation.completed", b64_json="AA==", size="1x1", usage=USAGE),
]
ENGINE = [
    event(object="transcription.chunk", choices=[{"delta": {"content": "hi"}}], model="w"),
    event(
        object="transcription.chunk", choices=[], usage={"prompt_tokens": 4, "completion_tokens": 6}
    ),
    b"data: [DONE]\n\n",
]
STREAMS = {"speech": SPEECH, "images": IMAGES, "engine": ENGINE}


def reader(ends: int = 1) -> MediaStreamReader:
    return MediaStreamReader(ends, wants_output=True)


def follow(one: MediaStreamReader, parts: list[bytes]) -> tuple[bytes, Failure | None]:
    shown = b"".join([one.feed(part) for part in parts])
    failure = one.end()
    return shown + (one.terminal if failure is None else b""), failure


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_stream_passes_byte_for_byte_and_tells_its_usage(name: str) -> None:
    one, whole = reader(), b"".join(STREAMS[name])
    assert follow(one, [whole]) == (whole, None)
    assert one.started and one.finished and one.terminal == STREAMS[name][-1]
    assert one.usage == Usage(4, output_tokens=6)


@pytest.mark.parametrize("name", sorted(STREAMS))
@given(data=st.data())
def test_any_cut_is_the_same(name: str, data: st.DataObject) -> None:
    whole = b"".join(STREAMS[name])
    places = data.draw(st.lists(st.integers(0, len(whole)), max_size=8))
    cuts = sorted({0, *places, len(whole)})
    one, other = reader(), reader()
    parts = [whole[a:b] for a, b in itertools.pairwise(cuts)]
    assert follow(one, parts) == follow(other, [whole])
    assert (one.usage, one.units, one.content_chunks) == (
        other.usage,
        other.units,
        other.content_chunks,
    )


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_one_without_its_end_is_cut(name: str) -> None:
    for count in range(len(STREAMS[name])):
        one = reader()
        _, failure = follow(one, STREAMS[name][:count])
        assert failure is not None and failure.kind == "interrupted"
        assert not one.terminal and one.units.images is None


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_an_end_without_its_blank_line_is_an_end_and_half_of_one_is_not(name: str) -> None:
    whole = b"".join(STREAMS[name])
    for told in (whole[:-1], whole[:-2], whole.replace(b"\n", b"\r")):
        one = reader()
        _, failure = follow(one, [told])
        assert failure is None and one.usage == Usage(4, output_tokens=6)
    one = reader()
    _, failure = follow(one, [whole[:-4]])
    assert failure is not None and failure.kind == "interrupted" and not one.finished


def test_an_event_without_an_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.text.sse.MAX_IMAGE_EVENT_BYTES", 1000)
    one = reader()
    one.feed(b"data: " + b"x" * 900)
    assert one.failure is None
    one.feed(b"x" * 900)
    assert one.failure is not None and one.failure.kind == "malformed"


def test_of_several_images_the_last_one_ends_it() -> None:
    done = event(type="image_generation.completed", b64_json="AA==", size="1x1", usage=USAGE)
    one = reader(2)
    one.feed(done)
    assert not one.finished
    assert one.feed(done) == b"" and one.finished and one.terminal == done
    assert one.units == Units(images=2, image_size="1x1")
    assert one.usage == Usage(conflict=True)


def test_what_follows_its_end_is_counted_and_not_shown() -> None:
    one = reader()
    one.feed(b"".join(SPEECH))
    assert one.feed(b"data: [DONE]\n\n") == b""  # as some write it besides
    assert one.surplus_events == 0 and not one.ended_twice
    assert one.feed(SPEECH[0] + b"data: [DONE]\n\n") == b""
    assert one.surplus_events == 2 and one.ended_twice
    one = reader()
    one.feed(b"".join(ENGINE) + ENGINE[-1])
    assert one.surplus_events == 1 and one.ended_twice


@pytest.mark.parametrize(
    "bad",
    [
        b"data: {\n\n",
        b"data: \xff\xfe\n\n",
        b'data: {"type": 1}\n\n',
        b'data: {"type":"speech.audio.delta","audio":"\xff\xfe"}\n\n',
        b'data: {"type":"error"}\n\n',
        b'data: {"error":{"message":"no","code":"429"}}\n\n',
        b"data: " + b"[" * 3000 + b"\n\n",
    ],
)
def test_an_error_or_no_event_ends_it(bad: bytes) -> None:
    one = reader()
    assert one.feed(SPEECH[0] + bad + SPEECH[1]) == SPEECH[0]
    assert one.failure is not None and one.end() is one.failure
    assert one.feed(SPEECH[2]) == b"" and not one.finished


def test_audio_is_bytes_and_the_connection_s_end_is_its_own() -> None:
    one = AudioReader()
    data = b"data: {\xff"
    assert one.feed(data) is data and one.feed(b"") == b""
    assert (one.content_chunks, one.text_bytes(), one.started) == (1, len(data), True)
    assert one.end() is None and one.finished and one.opening(9) is None and one.text() == b""
    assert AudioReader().end() is not None


def test_audio_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_AUDIO_BYTES", 3)
    one = AudioReader()
    assert one.feed(b"abcd") == b""
    assert one.failure is not None and one.failure.code.name == "upstream_too_large"
    assert one.end() is one.failure and not one.finished
