"""The timings in every chunk tell the tokens of a stream that was cut."""

from tests.providers.streams import asked, sent

from tidegate.core.ask import Usage
from tidegate.providers.llama_cpp import plug


def test_a_cut_stream_tells_its_tokens() -> None:
    reader = plug.reader(asked())
    one = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
    timings = {"cache_n": 3, "prompt_n": 9, "predicted_n": 4, "predicted_ms": 1.5}
    reader.feed(sent({"choices": [one], "timings": timings}))
    assert reader.end() is not None
    assert reader.usage == Usage(9, 3, None, 4)


def test_timings_are_asked_for_in_streams_only() -> None:
    assert [name for name, _ in plug.stream_members] == ["timings_per_token"]
