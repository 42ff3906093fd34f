"""Usage in every chunk: read, and cut out for a caller who did not ask for it."""

from tests.providers.streams import asked, choice, sent

from tidegate.core.ask import Usage
from tidegate.providers.vllm import plug

TOLD = {"prompt_tokens": 3, "total_tokens": 5, "completion_tokens": 2}


def chunk(text: str, **more: object) -> bytes:
    one = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return sent({"id": "c", "choices": [one], **more})


def test_a_cut_stream_tells_its_tokens() -> None:
    reader = plug.reader(asked())
    reader.feed(chunk("a", usage=TOLD))
    assert reader.end() is not None
    assert reader.usage == Usage(3, None, None, 2)


def test_only_the_usage_is_cut_out() -> None:
    reader = plug.reader(asked())
    text = 'a ,"usage":{"b":1}'
    assert reader.feed(chunk(text, usage=TOLD)) == chunk(text)
    assert reader.feed(choice(content="plain")) == choice(content="plain")


def test_usage_in_an_unusual_place_is_left() -> None:
    reader = plug.reader(asked())
    odd = b'data: {"usage":{"prompt_tokens":3,"completion_tokens":1},"choices":[]}\n\n'
    assert reader.feed(odd) == b""
    one = b'{"index":0,"delta":{"content":"x"}}'
    first = b'data: {"usage":{"prompt_tokens":3,"completion_tokens":1},"choices":[%b]}\n\n' % one
    assert reader.feed(first) == first


def test_who_asked_for_continuous_usage_sees_it() -> None:
    reader = plug.reader(asked(include_usage=True, continuous_usage=True))
    assert reader.feed(chunk("a", usage=TOLD)) == chunk("a", usage=TOLD)
