"""Usage in every chunk, of the two others that send it so; vLLM's own bytes are in test_vllm.py."""

from pathlib import Path

import pytest
from tests.providers.streams import asked

from tidegate.core import plugs
from tidegate.core.ask import Usage
from tidegate.providers._each_usage import EachUsageReader

BYTES = Path(__file__).resolve().parents[1] / "bytes"


@pytest.mark.parametrize(
    ("name", "events", "usage"),
    [("sglang", 3, Usage(20, None, None, 2)), ("perplexity", 2, Usage(14, None, None, 2))],
)
def test_a_cut_stream_tells_its_tokens(name: str, events: int, usage: Usage) -> None:
    stream = (BYTES / name / "chat.sse").read_bytes()
    reader = plugs.load("providers", name).chunks(asked(stream=True))
    assert isinstance(reader, EachUsageReader)
    shown = reader.feed(b"".join(stream.split(b"\n\n")[at] + b"\n\n" for at in range(events)))
    assert reader.usage == usage
    assert b'"usage"' not in shown and shown.count(b"data: ") == events


@pytest.mark.parametrize("wanted", [True, False])
def test_who_asked_for_the_usage_finds_it_where_no_chunk_tells_it_alone(wanted: bool) -> None:
    reader = plugs.load("providers", "perplexity").chunks(asked(stream=True, include_usage=wanted))
    shown = reader.feed((BYTES / "perplexity" / "chat.sse").read_bytes())
    assert shown.count(b'"usage"') == int(wanted)
    assert reader.usage == Usage(14, None, None, 4)
