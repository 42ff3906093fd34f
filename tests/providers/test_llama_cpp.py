"""The timings in every chunk tell the tokens of a stream that was cut."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.providers.streams import asked, sent

from tidegate.core.ask import Usage
from tidegate.providers.llama_cpp import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes/llama_cpp"


def test_a_cut_stream_tells_its_tokens() -> None:
    reader = plug.reader(asked())
    one = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
    timings = {"cache_n": 3, "prompt_n": 9, "predicted_n": 4, "predicted_ms": 1.5}
    reader.feed(sent({"choices": [one], "timings": timings}))
    assert reader.end() is not None
    assert reader.usage == Usage(9, 3, None, 4)


def test_timings_are_asked_for_in_streams_only() -> None:
    assert [name for name, _ in plug.stream_members] == ["timings_per_token"]


SEVERAL: dict[str, dict[str, Any]] = {
    "choices": {"choices": 2},
    "prompts": {"endpoint": "completions", "members": {"prompt": Raw(b'["Say hello","Count"]')}},
}


@pytest.mark.parametrize("name", SEVERAL)
def test_what_it_tells_of_each_slot_is_summed(name: str) -> None:
    stream = (BYTES / f"{name}.sse").read_bytes()
    reader = plug.reader(asked(**SEVERAL[name]))
    shown = reader.feed(stream)
    assert reader.end() is None
    slots = {"prompt_n": 0, "cache_n": 0, "predicted_n": 0}
    for line in stream.splitlines():
        chunk = msgspec.json.decode(line[6:]) if line.startswith(b"data: {") else {}
        for member in slots if "usage" in chunk else ():
            slots[member] += chunk["timings"][member]
    computed, cached, predicted = slots.values()
    assert predicted > 5
    assert reader.usage == Usage(computed, cached, None, predicted)
    assert b"data: null" not in shown


def test_the_usage_of_one_choice_is_not_taken_for_all() -> None:
    answer = plug.read_answer(asked(choices=2), (BYTES / "choices.json").read_bytes())
    assert answer.usage == Usage(conflict=True)
    assert answer.text
