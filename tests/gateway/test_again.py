"""What is heard of a kept answer is what its caller reads."""

import pytest
from tests.gateway.test_replay import CALL, PROVIDER, ask, kept, stream_of

from tidegate.gateway.again import Again


@pytest.mark.parametrize("stream", [False, True])
def test_it_says_what_it_said_in_whichever_form_it_is_asked_for(stream: bool) -> None:
    body = stream_of({"content": "Good "}, {"content": "day."})
    heard = Again(ask(stream=stream), kept(body, streamed=True), PROVIDER).heard(100)
    assert heard is not None
    assert (heard.text, heard.calls, heard.shortened) == ("Good day.", (), False)


def test_calls_are_heard_and_a_long_one_is_shortened() -> None:
    body = stream_of({"tool_calls": [CALL]}, finish="tool_calls")
    heard = Again(ask(stream=False), kept(body, streamed=True), PROVIDER).heard(100)
    assert heard is not None and heard.calls == (("f", "{}"),)
    body = stream_of({"content": "x" * 2000})
    heard = Again(ask(stream=False), kept(body, streamed=True), PROVIDER).heard(100)
    assert heard is not None and heard.shortened


@pytest.mark.parametrize("body", [b"", b"no answer", b"data: {}\n\n"])
def test_what_is_no_answer_is_not_heard(body: bytes) -> None:
    assert Again(ask(stream=False), kept(body, streamed=True), PROVIDER).heard(100) is None
