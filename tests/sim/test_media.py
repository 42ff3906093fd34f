"""What the simulated engine says beside texts."""

import base64

import pytest
from tests.text.test_wav import wav

from tidegate.core.metered import Form, Part
from tidegate.sim import media
from tidegate.sim.asked import Problem
from tidegate.text.wav import wav_s


def test_documents_that_share_words_come_first() -> None:
    asked = media.Rerank("red cats", ["dogs", {"text": "red cats"}, "cats"], return_documents=True)
    told = media.rank(asked)
    assert [one["index"] for one in told["results"]] == [1, 2, 0]
    assert told["results"][0]["document"] == {"text": "red cats"}
    assert told["usage"]["total_tokens"] > 6


def test_violence_is_flagged() -> None:
    told = media.moderate(media.Moderation(["hello", "a bomb"]))
    assert [one["flagged"] for one in told["results"]] == [False, True]


def test_images_are_images() -> None:
    drawn = [base64.b64decode(one["b64_json"]) for one in media.draw(2)]
    assert all(one.startswith(b"\x89PNG") for one in drawn) and drawn[0] != drawn[1]
    with pytest.raises(Problem):
        media.draw(11)


def test_speech_is_as_long_as_its_text() -> None:
    spoken, kind = media.speak(media.Speech("a" * 30))
    assert kind == b"audio/wav" and wav_s(memoryview(spoken)) == pytest.approx(2.0)
    samples, kind = media.speak(media.Speech("a" * 30, response_format="pcm"))
    assert (len(samples), kind) == (16_000, b"audio/pcm")
    for wrong in (media.Speech(""), media.Speech("a", response_format="mp3")):
        with pytest.raises(Problem):
            media.speak(wrong)


@pytest.mark.parametrize(
    ("name", "has"),
    [
        ("json", b'"seconds":2.0'),
        ("verbose_json", b'"duration":2.0'),
        ("text", b"2.0 seconds"),
        ("srt", b"00:00:02,000"),
        ("vtt", b"WEBVTT"),
    ],
)
def test_a_transcript_in_each_form(name: str, has: bytes) -> None:
    fields = Part("response_format", memoryview(name.encode()))
    heard = media.hear(Form(b"xx", (Part("file", memoryview(wav(2.0)), "a.wav"), fields)))
    assert has in media.transcript(heard)[0]


def test_what_is_wrong_is_a_problem() -> None:
    with pytest.raises(Problem):
        media.hear(Form(b"xx", ()))
    with pytest.raises(Problem):
        media.transcript(media.Heard(1.0, response_format="odd"))
