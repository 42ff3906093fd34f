"""Hostile providers, every plug, every dialect: nothing raises, hangs or is invented, whatever a
stream or an answer holds, and what is written for callers has the grammar of their API."""

import itertools
import random
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.hostile import (
    VALUES,
    Words,
    changed,
    disordered,
    is_known,
    is_text_of,
    joined,
    pieces_of,
    places,
    streams_with_one_wrong,
    with_value,
    words_of,
)
from tests.dialects.grammar import STAMP, ask_of, hear, in_order
from tests.dialects.told import read_stream, read_whole
from tests.providers import family

from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.conversation import Reasoning, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.plugs import Provider
from tidegate.core.spoken import Began, Event, PartBegan, PartGrew, Spoken, Used
from tidegate.text.aws_frames import FrameSplitter
from tidegate.text.sse import SseSplitter, data_of

BYTES = Path(__file__).resolve().parent.parent / "bytes"
CODECS = family.CODECS
DIALECTS = plugs.names("dialects")
# One plug of each wire says them all; the others differ in what they ask for.
WIRES = ("openai", "azure_openai", "anthropic", "gemini", "bedrock", "mistral", "cohere")
ANSWERS = sorted(
    BYTES / codec / f"{name}.json"
    for codec in WIRES
    for name in ("chat", "tools", "thinking", "reasoning", "choices")
    if (BYTES / codec / f"{name}.json").is_file()
)
STREAMS = sorted(
    path
    for codec in WIRES
    for path in (BYTES / codec).glob("*.*")
    if path.suffix in (".sse", ".events") and path.stem not in ("completion", "prompts")
)
ERRORS = sorted(path for path in BYTES.glob("*/*.json") if path.read_bytes().startswith(b"{"))
KINDS = {
    *("unavailable", "rate_limited", "overflow", "malformed", "interrupted"),
    *("refused_by_safety", "timeout", "rejected"),
}


def stream_id(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def plug(path: Path) -> Provider:
    return plugs.load("providers", path.parent.name)


def asked(path: Path, dialect: str = "openai_chat") -> Ask:
    choices = 2 if path.stem == "choices" else 1
    members: Any = {"input": "x"} if dialect == "openai_responses" else {"messages": []}
    return ask_of(members, dialect, stream=True, include_usage=True, choices=choices)


def heard(path: Path, parts: Iterable[bytes]) -> tuple[list[Event], Failure | None, bool]:
    reader = plug(path).spoken_reader(asked(path))
    events = hear(reader, parts)
    assert reader.finished == (reader.failure is None)
    return events, reader.failure, reader.finished


def payloads_of(path: Path, stream: bytes) -> list[bytes]:
    if path.suffix == ".events":
        return [frame.payload for frame in FrameSplitter().feed(stream)]
    splitter = SseSplitter()
    events = [*splitter.feed(stream), splitter.flush() + b"\n\n"]
    return [payload for payload in map(data_of, events) if payload is not None]


@lru_cache
def good_words(path: Path) -> Words:
    return words_of([piece.payload for piece in pieces_of(path) if piece.payload is not None])


def is_harmless(path: Path, stream: bytes) -> None:
    """Whatever it is: it is heard in order, and said to callers as their API wants it."""
    events, failure, finished = heard(path, [stream])
    if failure is not None:
        is_failure(failure)
    in_order(events, whole=finished)
    try:
        # What stands beside a value that nobody can read is read all the same.
        invents_nothing(events, good_words(path))
    except AssertionError:
        good = [piece.payload for piece in pieces_of(path) if piece.payload is not None]
        invents_nothing(events, words_of([*payloads_of(path, stream), *good]))
    for size in said_to_callers(path, tuple(events), finished):
        assert size < 40 * len(stream) + 20_000


@lru_cache(maxsize=256)
def said_to_callers(path: Path, events: tuple[Event, ...], finished: bool) -> list[int]:
    """How long it is in each dialect, in which it must be a stream as its clients know them."""
    sizes = []
    for name in DIALECTS:
        writer = plugs.load("dialects", name).writer(asked(path, name), STAMP)
        shown = b"".join([writer.write([event]) for event in events])
        shown += writer.close() if finished else b""
        assert (read_stream(name, shown).end is not None) == finished
        sizes.append(len(shown))
    return sizes


def is_failure(failure: Failure) -> None:
    assert isinstance(failure, Failure) and failure.kind in KINDS
    assert 400 <= failure.status < 600 and failure.message
    wait_s = failure.retry_after_s
    assert wait_s is None or 0 <= wait_s <= 60


def invents_nothing(events: list[Event], words: Words) -> None:
    for event in events:
        if isinstance(event, PartGrew):
            if event.grown == "arguments":
                is_said(event.text, words)
            elif event.grown != "sealed":  # which may be put together of pieces
                assert event.text in words.texts
        elif isinstance(event, PartBegan):
            assert {event.name, event.call_id} - {None} <= words.texts
        elif isinstance(event, Began):
            assert {event.id, event.model} - {None} <= words.texts
            assert is_known(event.usage, words)
        elif isinstance(event, Used):
            assert is_known(event.usage, words)


def is_said(arguments: str, words: Words) -> None:
    """As text, or as what it is the text of; none at all are no arguments."""
    if arguments not in words.texts and arguments != "{}":
        assert is_text_of(arguments, words.values)


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_whatever_stands_in_any_place_of_a_stream(path: Path) -> None:
    tried = 0
    for stream in streams_with_one_wrong(pieces_of(path)):
        is_harmless(path, stream)
        tried += 1
    assert tried > 100


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 2000), max_size=6))
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_events_out_of_order_lost_and_doubled(path: Path, seed: int, cuts: list[int]) -> None:
    stream = joined(disordered(pieces_of(path), random.Random(seed)))
    is_harmless(path, stream)
    ends = [0, *sorted({cut for cut in cuts if cut < len(stream)}), len(stream)]
    parts = [stream[a:b] for a, b in itertools.pairwise(ends)]
    for one in (parts, [stream[i : i + 1] for i in range(len(stream))]):
        same_however_cut(path, stream, one)


def same_however_cut(path: Path, stream: bytes, parts: list[bytes]) -> None:
    """The same events but for how often usage is told, which may be once for several in a read."""
    whole, cut = heard(path, [stream]), heard(path, parts)
    assert said(whole) == said(cut)


def said(found: tuple[list[Event], Failure | None, bool]) -> Any:
    events, failure, finished = found
    used = [event for event in events if isinstance(event, Used)]
    rest = [event for event in events if not isinstance(event, Used)]
    code = failure and (failure.kind, failure.code.name, failure.message)
    return rest, used[-1:], code, finished


@pytest.mark.parametrize("path", ANSWERS, ids=stream_id)
def test_whatever_stands_in_any_place_of_a_whole_answer(path: Path) -> None:
    read = 0
    for body in changed(path.read_bytes()):
        try:
            spoken = plug(path).read_spoken(asked(path), body)
        except Failure as failure:
            is_failure(failure)
            continue
        read += 1
        whole_invents_nothing(spoken, words_of([body, path.read_bytes()]))
        for name in DIALECTS:
            dialect = plugs.load("dialects", name)
            try:
                shown = dialect.whole(asked(path, name), STAMP, spoken)
            except Failure as failure:
                is_failure(failure)
            else:
                read_whole(name, shown)
    assert read > 10


def whole_invents_nothing(spoken: Spoken, words: Words) -> None:
    assert spoken.choices
    assert {spoken.id, spoken.model} - {None} <= words.texts
    assert is_known(spoken.usage, words)
    for choice in spoken.choices:
        assert choice.reason is not None
        for part in choice.parts:
            if isinstance(part, ToolCall):
                assert {part.name, part.id} <= words.texts | {""}
                is_said(part.arguments, words)
            else:
                assert part.text in words.texts | {""} or isinstance(part, Reasoning)


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_an_error_says(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(ERRORS))
    payload = path.read_bytes()
    at = data.draw(st.sampled_from(list(places(msgspec.json.decode(payload)))))
    body = data.draw(st.sampled_from([payload, *one_place(payload, at), b"", b"\xff"]))
    numbers = st.integers().map(str) | st.floats().map(str)
    dates = st.builds(
        "Fri, {} Dec {} 23:{}:59 {}".format,
        *(st.integers(-1, 40), st.integers(-1, 10**6) | st.integers(), st.integers(-1, 70)),
        st.sampled_from(["GMT", "", "+2400", "-0000"]) | st.integers().map("{:+05d}".format),
    )
    wait = data.draw(numbers | dates | st.text(st.characters(codec="latin-1")))
    status = data.draw(st.integers(100, 999))
    for codec in CODECS:
        headers = {"retry-after": wait, "x-amzn-errortype": wait}
        is_failure(plugs.load("providers", codec).fault(status, headers, body))


def one_place(payload: bytes, at: Any) -> list[bytes]:

    return [with_value(payload, at, value) for value in VALUES]
