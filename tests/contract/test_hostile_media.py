"""Hostile providers of what is no chat: every place of an answer with every wrong value, streams
disordered and cut anywhere. Nothing is raised but a Failure, nothing is made up, unknown is never
0, and what is shown of a stream is a part of what came."""

import random
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.contract.hostile import (
    changed,
    disordered,
    is_known,
    joined,
    server_sent,
    streams_with_one_wrong,
    words_of,
)
from tests.providers.media_asks import SSE, TARGET, asked, form_asked, ranked

from tidegate.core import plugs
from tidegate.core.ask import Answer, Ask, Units
from tidegate.core.outcome import Failure
from tidegate.core.plan import Replica
from tidegate.core.plugs import Passthrough
from tidegate.core.receipt import METERED
from tidegate.providers._media_stream import MediaStreamReader
from tidegate.providers._rerank import CohereRanking
from tidegate.text.sse import SseSplitter, data_of

MEDIA = [n for n in plugs.names("providers") if "media" in plugs.load("providers", n).passthrough]
RANKED = ranked("a", "b", "c", return_documents=True)
DETAILS = {"text_tokens": 4, "image_tokens": 10, "audio_tokens": 0}
USAGE = {"input_tokens": 14, "output_tokens": 5, "total_tokens": 19}


class Told(NamedTuple):
    """A whole answer of one codec."""

    ask: Ask
    body: dict[str, Any] | list[Any]
    plug: Passthrough

    def read(self, body: bytes) -> Answer:
        return self.plug.read_answer(self.ask, body)


def plug(name: str) -> Passthrough:
    found: Passthrough = plugs.load("providers", name).passthrough["media"]
    return found


RESULT = {"index": 1, "relevance_score": 0.5}
RANKING = {"id": "r", "results": [RESULT], "meta": {"billed_units": {"search_units": 2}}}
ANSWERS = {
    "images": Told(
        asked("images", images=2),
        {
            "data": [{"url": "x"}],
            "size": "1x1",
            "usage": {**USAGE, "input_tokens_details": DETAILS},
        },
        plug("openai"),
    ),
    "transcript": Told(
        asked("transcriptions"),
        {"text": "hi", "duration": 2.5, "usage": {"type": "duration", "seconds": 3}},
        plug("vllm"),
    ),
    "heard": Told(
        asked("transcriptions"),
        {"text": "hi", "usage": {**USAGE, "input_token_details": DETAILS}},
        plug("azure_openai"),
    ),
    "moderation": Told(
        asked("moderations"), {"model": "m", "results": [{"flagged": True}]}, plug("openai")
    ),
    "ranking": Told(RANKED, {**RANKING, "usage": {"total_tokens": 7}}, plug("vllm")),
    "cohere": Told(RANKED, RANKING, CohereRanking()),
    "voyage": Told(
        RANKED,
        {"data": [{**RESULT, "document": "b"}], "usage": {"total_tokens": 7}},
        plug("voyage"),
    ),
    "tei": Told(RANKED, [{"index": 1, "score": 0.5, "text": "b"}], plug("tei")),
    "sglang": Told(
        RANKED, [{"index": 1, "score": 0.5, "document": "b", "meta_info": {}}], plug("sglang")
    ),
    "nvidia_nim": Told(
        RANKED,
        {"rankings": [{"index": 1, "logit": -2.5}], "usage": {"total_tokens": 7}},
        plug("nvidia_nim"),
    ),
    "fireworks": Told(
        RANKED,
        {"data": [RESULT], "usage": {"prompt_tokens": 7, "total_tokens": 7}},
        plug("fireworks"),
    ),
    "siliconflow": Told(
        RANKED,
        {"results": [RESULT], "meta": {"tokens": {"input_tokens": 7, "output_tokens": 0}}},
        plug("siliconflow"),
    ),
    "mistral": Told(
        asked("transcriptions"),
        {
            "text": "hi",
            "usage": {
                "prompt_audio_seconds": 3,
                "prompt_tokens": 4,
                "total_tokens": 45,
                "completion_tokens": 6,
            },
        },
        plug("mistral"),
    ),
}
SPEECH = [{"type": "speech.audio.delta", "audio": "AAAA"}] * 2
STREAMS = {
    "mistral": [
        {"type": "transcription.text.delta", "text": "hi"},
        {"type": "transcription.done", "text": "hi", "usage": USAGE},
    ],
    "speech": [*SPEECH, {"type": "speech.audio.done", "usage": USAGE}],
    "transcript": [
        {"type": "transcript.text.delta", "delta": "hi"},
        {"type": "transcript.text.done", "text": "hi", "usage": {"type": "duration", "seconds": 3}},
    ],
    "images": [
        {"type": "image_edit.partial_image", "b64_json": "AA==", "partial_image_index": 0},
        {"type": "image_edit.completed", "b64_json": "AA==", "size": "1x1", "usage": USAGE},
    ],
}


def stream_of(name: str) -> bytes:
    return b"".join(b"data: " + msgspec.json.encode(one) + b"\n\n" for one in STREAMS[name])


def are_sane(units: Units | None) -> bool:
    """Unknown, or something: no figure is 0 or less, or beyond belief."""
    if units is None:
        return True
    counts = (units.images, units.search_units)
    told = (units.image_input_tokens, units.image_output_tokens)
    return (
        all(one is None or 0 < one <= 1_000_000 for one in counts)
        and all(one is None or 0 <= one <= 100_000_000 for one in told)
        and (units.audio_s is None or 0 < units.audio_s <= 259_200)
    )


@pytest.mark.parametrize("name", MEDIA)
def test_who_serves_what_is_no_chat_has_a_wire_for_it(name: str) -> None:
    provider = plugs.load("providers", name)
    assert plug(name).counts_tokens is False and plug(name).across(b"", streamed=True) is None
    for other in set(plugs.names("providers")) - set(MEDIA):
        assert not METERED & plugs.load("providers", other).endpoints
    for endpoint in METERED & provider.endpoints:
        ask = RANKED if endpoint == "rerank" else asked(endpoint)
        out = plug(name).encode(ask, TARGET)
        assert b"their-model" in out.body + out.path or name == "tei"


@pytest.mark.parametrize("host", ["h", "ai.api.nvidia.com"])
@pytest.mark.parametrize("name", MEDIA)
def test_a_model_s_name_writes_no_line_of_a_head(name: str, host: str) -> None:
    replica = Replica("r", "http", host, 80, "/v1")
    strange = structs.replace(TARGET, model="a\r\nx-evil: 1 ?#", replicas=(replica,))
    for endpoint in METERED & plugs.load("providers", name).endpoints:
        ask = RANKED if endpoint == "rerank" else form_asked(endpoint)
        out = plug(name).encode(ask, strange)
        assert out.path.isascii() and not {*b"\r\n "} & {*out.path}
        assert out.content_type is None or not {*b"\r\n"} & {*out.content_type}


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_whatever_stands_in_any_place_of_an_answer(name: str) -> None:
    one, read = ANSWERS[name], 0
    good = msgspec.json.encode(one.body)
    assert one.read(good).units is not None
    bodies = list(_changed(one.body))
    for body in bodies:
        try:
            answer = one.read(body)
        except Failure as failure:
            assert failure.kind in ("malformed", "unavailable", "rate_limited", "refused_by_safety")
            continue
        read += 1
        assert are_sane(answer.units) and is_known(answer.usage, words_of([body, good]))
        assert answer.shown is None or msgspec.json.decode(answer.shown)["results"]
    assert 0 < read < len(bodies)


def _changed(body: Any) -> Any:
    if isinstance(body, dict):
        yield from changed(msgspec.json.encode(body))
        return
    for one in changed(msgspec.json.encode(body[0])):
        yield b"[" + one + b"]"


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_whatever_stands_in_any_place_of_a_stream(name: str) -> None:
    for stream in streams_with_one_wrong(server_sent(stream_of(name))):
        _follow(stream)


@pytest.mark.parametrize("name", sorted(STREAMS))
@given(seed=st.integers(0, 10_000))
def test_events_lost_doubled_and_moved(name: str, seed: int) -> None:
    chance = random.Random(seed)
    _follow(joined(disordered(server_sent(stream_of(name)), chance)), chance)


def _follow(stream: bytes, chance: random.Random | None = None) -> None:
    """Whole, and cut somewhere: the same, and no more than came."""
    ask = asked("transcriptions", streams=SSE, events=True)
    found, told = [], [data_of(event) or b"" for event in SseSplitter().feed(stream)]
    for cut in (0, chance.randrange(len(stream)) if chance else len(stream) // 2):
        reader = plug("openai").reader(ask)
        assert isinstance(reader, MediaStreamReader)
        shown = reader.feed(stream[:cut]) + reader.feed(stream[cut:])
        failure = reader.end()
        assert (failure is None) == reader.finished
        assert (shown + reader.terminal) in stream or reader.surplus_events
        assert is_known(reader.usage, words_of(told)) and are_sane(reader.units)
        kind = None if failure is None else (failure.kind, failure.code.name)
        found.append((shown, kind, reader.terminal, reader.usage, reader.units))
    assert found[0] == found[1]
