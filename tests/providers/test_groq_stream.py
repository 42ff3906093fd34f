"""What Groq tells in `x_groq`."""

from tests.providers.streams import DONE, asked, choice, sent

from tidegate.core.ask import Usage
from tidegate.providers._groq_stream import GroqReader

USAGE = {"prompt_tokens": 19, "completion_tokens": 4, "total_tokens": 23}


def test_an_answer_that_was_given_up_is_no_answer() -> None:
    reader = GroqReader(asked(stream=True))
    reader.feed(choice(content="a"))
    one = {"index": 0, "delta": {}, "finish_reason": "stop"}
    told = {"choices": [one], "x_groq": {"id": "r", "error": "over capacity"}}
    assert reader.feed(sent(told) + DONE) == b""
    assert reader.failure is not None and not reader.finished
    assert (reader.failure.kind, reader.failure.code.name) == (
        "interrupted",
        "upstream_interrupted",
    )
    assert "capacity" not in reader.failure.message


def test_usage_is_known_where_only_that_tells_it() -> None:
    reader = GroqReader(asked(stream=True))
    one = {"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}
    event = sent({"choices": [one], "x_groq": {"id": "r", "usage": USAGE}})
    assert reader.feed(event + DONE) == event
    assert reader.finished and reader.usage == Usage(19, None, None, 4)
