"""A stream's end is its provider's end: every other end is a failure; every count is bounded."""

import pytest
from tests.providers.streams import DONE, asked, choice, sent, usage

from tidegate.core import kept_text
from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure
from tidegate.providers import _openai_stream
from tidegate.providers._openai_stream import MAX_CHOICES, OpenAIStreamReader
from tidegate.text import sse

START = choice(role="assistant", content="")
HELLO = choice(content="hello")
STOP = choice(finish="stop")
TOLD = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}


def followed(*parts: bytes, **more: object) -> tuple[OpenAIStreamReader, bytes, Failure | None]:
    reader = OpenAIStreamReader(asked(**more))
    shown = b"".join([reader.feed(part) for part in parts])
    return reader, shown, reader.end()


def test_comments_and_a_role_are_no_content() -> None:
    reader = OpenAIStreamReader(asked())
    assert reader.feed(b": ping\n\n" + START) == b": ping\n\n" + START
    assert not reader.started
    reader.feed(HELLO)
    assert reader.started


@pytest.mark.parametrize("before", [(), (HELLO,), (HELLO, HELLO)])
@pytest.mark.parametrize("content", [b"\xff", b"\\ud800", b"\x00"])
def test_text_that_is_none_is_a_failure_and_is_not_shown(
    before: tuple[bytes, ...], content: bytes
) -> None:
    reader, shown, failure = followed(*before, HELLO.replace(b"hello", content))
    assert failure is not None
    assert failure.kind == "malformed"
    assert shown == b"".join(before)
    assert not reader.finished


def test_the_end_waits_until_it_is_asked_for() -> None:
    reader, shown, failure = followed(START, HELLO, STOP, DONE)
    assert (shown, reader.terminal, failure) == (START + HELLO + STOP, DONE, None)


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (START,),
        (HELLO,),
        (HELLO, DONE),
        (DONE,),
        (STOP[:-20],),
        (choice(0, content="a"), choice(1, content="b"), choice(0, "stop"), DONE),
        (choice(0, content="a"), choice(1, content="b"), choice(1, "stop")),
    ],
)
def test_an_end_without_a_finish_is_an_interruption(parts: tuple[bytes, ...]) -> None:
    reader, _, failure = followed(*parts)
    assert failure is not None
    assert (failure.kind, failure.code.name) == ("interrupted", "upstream_interrupted")
    assert not reader.finished


def test_only_the_closing_mark_may_be_missing() -> None:
    reader, _, failure = followed(HELLO, STOP)
    assert (failure, reader.terminal) == (None, DONE)
    _, _, failure = followed(choice(0, content="a"), choice(0, "stop"), choices=2)
    assert failure is not None  # the other choice never came


def test_of_several_prompts_at_once_the_closing_mark_must_come() -> None:
    text = sent({"choices": [{"index": 0, "text": "a", "finish_reason": "stop"}]})
    members = {"prompt": b'["a","b"]'}
    _, _, failure = followed(text, endpoint="completions", members=members)
    assert failure is not None
    _, _, failure = followed(text, DONE, endpoint="completions", members=members)
    assert failure is None


def test_a_last_event_without_its_blank_line_is_not_lost() -> None:
    reader, shown, failure = followed(HELLO, STOP.rstrip())
    assert (shown, reader.terminal, failure) == (HELLO, STOP + DONE, None)
    reader, _, failure = followed(HELLO, STOP, b"data: [DONE]")
    assert (reader.terminal, failure) == (DONE, None)


@pytest.mark.parametrize(
    "bad", [b"data: {\n\n", b"data: <html>\n\n", b"data: [1]\n\n", b"data:\n\n"]
)
def test_an_event_that_is_no_chunk_ends_the_stream(bad: bytes) -> None:
    reader, shown, failure = followed(HELLO, bad, HELLO, DONE)
    assert shown == HELLO
    assert failure is not None
    assert (failure.kind, failure.code.name) == ("malformed", "upstream_malformed")
    assert reader.surplus_events == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "x", "type": "server_error", "code": None}, "unavailable"),
        (
            {"message": "x", "type": "rate_limit_error", "code": "rate_limit_exceeded"},
            "rate_limited",
        ),
        (
            {"object": "error", "message": "x", "type": "BadRequestError", "code": 400},
            "unavailable",
        ),
        ({"message": "x", "code": 429}, "rate_limited"),
        ({"message": "x", "code": "context_length_exceeded"}, "overflow"),
        ("text", "unavailable"),
        ([1], "unavailable"),
    ],
)
def test_an_error_inside_a_stream_ends_it(error: object, kind: str) -> None:
    _, shown, failure = followed(HELLO, sent({"error": error}), DONE)
    assert shown == HELLO
    assert failure is not None
    assert failure.kind == kind


def test_the_texts_of_all_choices_are_kept_to_be_counted() -> None:
    call = [{"index": 0, "function": {"arguments": "{}"}}]
    reader, _, _ = followed(
        choice(0, content="ab"),
        choice(1, reasoning_content="cd"),
        choice(1, refusal="ef"),
        choice(0, tool_calls=call),
        choices=2,
    )
    assert reader.text() == b"abcdef{}"
    assert reader.content_chunks == 4


@pytest.mark.parametrize("beside", ["refusal", "reasoning", "reasoning_content"])
def test_what_comes_beside_content_is_kept_however_it_was_cut(beside: str) -> None:
    events = [choice(content="ab"), choice(content="cd", **{beside: "ef"})]
    at = len(events[1]) // 2
    whole, _, _ = followed(*events)
    halves, _, _ = followed(events[0], events[1][:at], events[1][at:])
    assert len(whole.text()) == 6
    assert (whole.text(), whole.content_chunks) == (halves.text(), halves.content_chunks)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (kept_text, _openai_stream):
        monkeypatch.setattr(module, "MAX_TEXT_BYTES", 100)
    reader, _, _ = followed(*[choice(content="x" * 10)] * 50)
    assert (len(reader.text()), reader.text_beyond_bytes) == (100, 400)
    assert reader.text_bytes() == 500
    assert reader.content_chunks == 50


@pytest.mark.parametrize("told", [{}, {"usage": TOLD}])
def test_what_has_failed_is_not_handed_on_as_it_came(told: dict[str, object]) -> None:
    wrong = {"index": MAX_CHOICES, "delta": {"content": "x"}}
    reader = OpenAIStreamReader(asked())
    data = sent({"choices": [wrong], **told})
    assert reader.feed(data) is not data
    assert reader.failure is not None


@pytest.mark.parametrize("index", [-1, MAX_CHOICES, 10**30])
def test_a_choice_out_of_range_is_malformed(index: int) -> None:
    _, shown, failure = followed(HELLO, choice(index, content="x"))
    assert shown == HELLO
    assert failure is not None
    assert failure.kind == "malformed"


def test_an_event_without_an_end_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    _, _, failure = followed(b"data: " + b"x" * 200)
    assert failure is not None
    assert failure.kind == "malformed"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), None),
        ((TOLD,), Usage(3, None, None, 1)),
        ((TOLD, TOLD), Usage(3, None, None, 1)),
        ((TOLD, TOLD | {"completion_tokens": 2, "total_tokens": 5}), Usage(conflict=True)),
        (({"prompt_tokens": 3, "completion_tokens": 0},), Usage(conflict=True)),
        (({"prompt_tokens": 0, "completion_tokens": 1},), Usage(conflict=True)),
    ],
)
def test_usage_is_believed_when_it_can_be_true(
    told: tuple[object, ...], expected: Usage | None
) -> None:
    reader, shown, failure = followed(HELLO, STOP, *map(usage, told), DONE)
    assert (reader.usage, failure) == (expected, None)
    assert shown == HELLO + STOP


def test_usage_is_shown_to_whom_asked_for_it() -> None:
    _, shown, _ = followed(HELLO, STOP, usage(TOLD), DONE, include_usage=True)
    assert shown == HELLO + STOP + usage(TOLD)


class Heard:
    """core.plugs.Follower that writes down what it is told, and ends the answer at a word."""

    def __init__(self, until: str = "") -> None:
        self.said: list[tuple[object, ...]] = []
        self._until = until

    def content(self, choice: int, text: str) -> Failure | None:
        self.said.append((choice, text))
        return (
            Failure("malformed", "upstream_invalid_answer", "no") if text == self._until else None
        )

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        self.said.append((choice, call, name, arguments))
        return None


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_follower_is_told_of_every_piece_however_the_stream_is_cut(size: int) -> None:
    call = [{"index": 0, "function": {"name": "f", "arguments": "{"}}]
    parts = (
        START,
        choice(reasoning_content="hm"),
        choice(content="a"),
        choice(content="b"),
        choice(1, content="c"),
        choice(tool_calls=call),
        choice(content="d", refusal="no"),
        STOP,
        choice(1, "stop"),
        DONE,
    )
    data = b"".join(parts)
    reader = OpenAIStreamReader(asked())
    heard = reader.follower = Heard()
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    assert heard.said == [(0, "a"), (0, "b"), (1, "c"), (0, 0, "f", "{"), (0, "d")]
    assert (reader.refused, reader.called, reader.ended_twice) == (True, True, False)
    assert reader.finished


def test_a_chunk_that_ends_the_answer_is_not_shown() -> None:
    reader = OpenAIStreamReader(asked())
    reader.follower = Heard(until="bad")
    bad = sent({"choices": [{"delta": {"content": "bad"}}], "usage": TOLD})
    assert reader.feed(HELLO + HELLO) == HELLO + HELLO
    assert reader.feed(bad) == b""
    assert reader.failure is not None
    assert reader.feed(HELLO) == b""


@pytest.mark.parametrize(
    ("parts", "opening"),
    [
        ((HELLO, choice(content=" you")), b"hello you"),
        ((choice(reasoning="hm"), choice(reasoning="h"), HELLO, HELLO), b"hellohello"),
        ((choice(reasoning_content="hm", content="hello"),), b"hello"),
        ((choice(reasoning="hm"),), None),
        ((), None),
        ((choice(content="x" * 50),), b"x" * 20),
    ],
)
def test_the_opening_is_of_the_content_and_not_of_the_thinking(
    parts: tuple[bytes, ...], opening: bytes | None
) -> None:
    reader, _, _ = followed(START, *parts)
    assert reader.opening(20) == opening


def test_an_opening_that_was_not_kept_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_text, "MAX_TEXT_BYTES", 10)
    reader, _, _ = followed(START, choice(reasoning="x" * 20), HELLO)
    assert reader.opening(20) == b""


def test_a_second_end_is_told_apart_from_other_surplus() -> None:
    once, _, _ = followed(HELLO, STOP, DONE + b": bye\n\n")
    twice, _, _ = followed(HELLO, STOP, DONE + DONE)
    assert (once.ended_twice, twice.ended_twice) == (False, True)


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (["fp_1", "fp_2"], "fp_1"),
        ([None, "fp_2"], "fp_2"),
        (["", "fp_2"], "fp_2"),
        ([{"deep": 1}, 7], None),
        ([None, None], None),
    ],
)
def test_the_build_is_the_first_that_is_told(told: list[object], known: str | None) -> None:
    parts = [sent({"choices": [], "model": "m", "system_fingerprint": it}) for it in told]
    reader, _, failure = followed(*parts, HELLO, STOP, DONE)
    assert (reader.model_fingerprint, reader.model_served, failure) == (known, "m", None)
