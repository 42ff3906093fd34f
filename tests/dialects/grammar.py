"""What every sequence of events must be, whoever tells it; and asks made of bodies."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.plan import Replica, Target
from tidegate.core.plugs import SpokenReader, Stamp
from tidegate.core.spoken import Began, Ended, Event, PartBegan, PartEnded, PartGrew, Used

STAMP = Stamp("0198c0de", 1_795_000_000.5)
GROWS = {
    "text": {"text"},
    "refusal": {"text"},
    "reasoning": {"text", "signature", "sealed"},
    "tool_call": {"arguments", "signature"},
}


def target(model: str = "their-model") -> Target:
    return Target("t", "p", "d", model, (Replica("r", "http", "h", 80, "/v1"),))


def ask_of(body: Any, dialect: str = "openai_chat", **more: Any) -> Ask:
    """`body` as bytes, or as what is to be encoded."""
    sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
    members = msgspec.json.decode(sent, type=dict[str, Raw])
    return Ask("chat", sent, members, "asked-model", dialect=dialect, **more)


def hear(reader: SpokenReader, parts: Iterable[bytes]) -> list[Event]:
    """All that it tells of a stream that ends after `parts`."""
    events = [event for part in parts for event in reader.feed(part)]
    return events + reader.end()


def in_order(events: list[Event], *, whole: bool) -> None:
    """`whole`: every part and every choice that was begun has ended."""
    began = False
    parts: dict[tuple[int, int], str] = {}
    ended_parts: set[tuple[int, int]] = set()
    used: dict[int, int] = {}
    ended: set[int] = set()
    for event in events:
        if isinstance(event, Began):
            assert not began, "it began twice"
            began = True
            continue
        assert began, f"{event} before its answer began"
        if isinstance(event, Used):
            continue
        assert event.choice not in ended, f"{event} after its choice had ended"
        if isinstance(event, Ended):
            ended.add(event.choice)
            continue
        place = (event.choice, event.index)
        if isinstance(event, PartBegan):
            assert event.index == used.get(event.choice, 0), "an index was left out or used twice"
            used[event.choice] = event.index + 1
            parts[place] = event.kind
        elif isinstance(event, PartGrew):
            assert place not in ended_parts, f"{event} after its part had ended"
            assert event.grown in GROWS[parts[place]]
            assert event.text
        else:
            assert isinstance(event, PartEnded)
            assert place in parts and place not in ended_parts
            ended_parts.add(place)
    if whole:
        assert ended_parts == set(parts), "a part did not end"
        assert ended and ended >= {choice for choice, _ in parts}, "a choice did not end"
