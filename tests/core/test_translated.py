"""A reader of one wire and a writer of another are one StreamReader."""

import pytest

from tidegate.core import translated as translated_reader
from tidegate.core.ask import Usage
from tidegate.core.kept_text import MAX_TEXT_BYTES
from tidegate.core.outcome import Failure
from tidegate.core.spoken import Began, Ended, Event, PartBegan, PartEnded, PartGrew, Used
from tidegate.core.translated import TranslatedReader

INTERRUPTED = Failure("interrupted", "upstream_interrupted", "half-way")


class Reader:
    """Tells the events that it was made with: one list a read, the last one at the end."""

    def __init__(self, *reads: list[Event], failure: Failure | None = None) -> None:
        self._reads = list(reads)
        self._fails = failure
        self.finished = False
        self.failure: Failure | None = None
        self.surplus_events = 0
        self.ended_twice = False
        self.service_tier: str | None = None
        self.model_fingerprint: str | None = "fp_1"

    def feed(self, _data: bytes) -> list[Event]:
        return self._reads.pop(0)

    def end(self) -> list[Event]:
        self.failure = self._fails
        self.finished = self._fails is None
        return self._reads.pop(0) if self._reads else []


class Writer:
    def write(self, events: list[Event]) -> bytes:
        return b"".join(type(event).__name__.encode() + b"\n" for event in events)

    def close(self) -> bytes:
        return b"end\n"


def follow(reader: Reader, reads: int) -> tuple[TranslatedReader, bytes]:
    translated = TranslatedReader(reader, Writer())
    return translated, b"".join(translated.feed(b"x") for _ in range(reads))


def test_what_the_events_say_is_noted() -> None:
    reader = Reader(
        [Began("id", "model", Usage(7))],
        [PartBegan(0, 0, "tool_call", "c", "look"), PartGrew(0, 0, "arguments", "{}")],
        [PartEnded(0, 0), Ended(0, "context_full"), Used(Usage(7, None, None, 3))],
    )
    translated, shown = follow(reader, 1)
    assert (translated.started, translated.usage) == (False, Usage(7))
    shown += translated.feed(b"x")
    assert translated.started and translated.content_chunks == 2
    shown += translated.feed(b"x")
    assert not translated.finished
    assert translated.end() is None
    assert translated.finished and translated.terminal == b"end\n"
    assert shown == b"Began\nPartBegan\nPartGrew\nPartEnded\nEnded\nUsed\n"
    assert (translated.finish_reason, translated.usage) == ("length", Usage(7, None, None, 3))
    assert (translated.model_served, translated.provider_request_id) == ("model", "id")
    assert translated.model_fingerprint == "fp_1"
    assert translated.text() == b"look{}"


def test_what_the_end_still_makes_whole_stands_before_the_closing_mark() -> None:
    translated, _ = follow(Reader([Ended(0, "stop")]), 0)
    assert translated.end() is None
    assert translated.terminal == b"Ended\nend\n"


def test_a_failure_writes_no_end() -> None:
    translated, _ = follow(Reader([Began()], [], failure=INTERRUPTED), 1)
    assert translated.end() is INTERRUPTED
    assert translated.terminal == b"" and not translated.finished
    assert translated.end() is INTERRUPTED


def test_what_follows_the_end_is_told() -> None:
    reader = Reader([Ended(0, "stop")], [])
    translated, _ = follow(reader, 1)
    reader.surplus_events, reader.ended_twice = 3, True
    translated.feed(b"x")
    assert (translated.surplus_events, translated.ended_twice) == (3, True)


def test_the_class_of_service_is_the_provider_s_word() -> None:
    reader = Reader([Began()], [])
    translated, _ = follow(reader, 1)
    assert translated.service_tier is None
    reader.service_tier = "priority"
    translated.feed(b"x")
    assert translated.service_tier == "priority"


def test_signatures_are_no_content() -> None:
    translated, _ = follow(Reader([PartGrew(0, 0, "signature", "c2ln")]), 1)
    assert (translated.started, translated.content_chunks, translated.text()) == (False, 0, b"")


def test_text_beyond_what_is_kept_is_counted() -> None:
    long = PartGrew(0, 0, "text", "é" * MAX_TEXT_BYTES)
    translated, _ = follow(Reader([long, PartGrew(0, 0, "text", "é")]), 1)
    assert len(translated.text()) == 2 * MAX_TEXT_BYTES
    assert (translated.text_beyond_bytes, translated.text_bytes()) == (2, 2 * MAX_TEXT_BYTES + 2)


class Heard:
    """core.plugs.Follower that writes down what it is told, and ends the answer at a word."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def content(self, choice: int, text: str) -> Failure | None:
        self.said.append((choice, text))
        return INTERRUPTED if text == "bad" else None

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        self.said.append((choice, call, name, arguments))
        return None


def test_a_follower_is_told_of_content_and_calls_and_of_no_thinking() -> None:
    reader = Reader(
        [PartBegan(0, 0, "reasoning"), PartGrew(0, 0, "text", "hm")],
        [PartBegan(0, 1, "text"), PartGrew(0, 1, "text", "hello")],
        [PartBegan(0, 2, "tool_call", "c", "look"), PartGrew(0, 2, "arguments", "{}")],
        [PartBegan(0, 3, "tool_call", "d", "see"), PartGrew(0, 3, "signature", "x")],
        [PartBegan(1, 0, "refusal"), PartGrew(1, 0, "text", "no")],
    )
    translated = TranslatedReader(reader, Writer())
    heard = translated.follower = Heard()
    for _ in range(5):
        translated.feed(b"x")
    called = [(0, 0, "look", ""), (0, 0, "", "{}"), (0, 1, "see", "")]
    assert heard.said == [(0, "hello"), *called]
    assert (translated.called, translated.refused, translated.ended_twice) == (True, True, False)
    assert translated.opening(4) == b"hell"


def test_what_ends_the_answer_is_not_shown_and_nothing_after_it() -> None:
    grew = [PartBegan(0, 0, "text"), PartGrew(0, 0, "text", "bad"), PartEnded(0, 0)]
    translated = TranslatedReader(Reader(grew, [PartEnded(0, 0)]), Writer())
    translated.follower = Heard()
    assert translated.feed(b"x") == b"PartBegan\n"
    assert translated.failure is INTERRUPTED
    assert translated.feed(b"x") == b""
    assert translated.failure is INTERRUPTED


def test_calls_are_numbered_by_their_choice() -> None:
    calls: list[Event] = [
        PartBegan(choice, index, "tool_call", "c", "look")
        for choice, index in ((0, 0), (1, 0), (0, 1), (1, 1), (0, 2))
    ]
    translated = TranslatedReader(Reader(calls), Writer())
    heard = translated.follower = Heard()
    translated.feed(b"x")
    assert [one[:2] for one in heard.said] == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2)]


@pytest.mark.parametrize(
    "more",
    [
        PartBegan(0, 0, "tool_call", "c", "look"),
        PartGrew(0, 0, "text", "x" * 100),
        PartGrew(0, 0, "signature", "x" * 100),
    ],
)
def test_an_answer_is_no_longer_than_can_be_held(
    more: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translated_reader, "MAX_ANSWER_BYTES", 2_000)
    began: list[Event] = [PartBegan(0, 0, "text")]
    reader = TranslatedReader(Reader(began, *[[more]] * 100), Writer())
    fed = 0
    while reader.failure is None:
        reader.feed(b"x")
        fed += 1
    assert fed <= 12
    assert (reader.failure.kind, reader.failure.code.name) == ("malformed", "upstream_too_large")
    assert reader.end() is reader.failure and reader.terminal == b""


def test_an_answer_without_content_has_no_opening() -> None:
    translated, _ = follow(Reader([Began(), PartBegan(0, 0, "text")]), 1)
    assert translated.opening(10) is None
