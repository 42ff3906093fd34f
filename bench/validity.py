"""CPU of holding an answer against its contract as it comes: a chunk of JSON, in chunks of a token
and larger ones, written closely and indented.

Each figure is the least of several rounds, because others work on the machine too. What the same
stream costs without a contract is measured in the same round.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from bench.dialects import ask_of
from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.plan import Contract
from tidegate.core.plugs import Provider
from tidegate.gateway.contract import Following, PreparedContract

ROUNDS = 25
RECORDS = 120
SIZES_BYTES = (4, 20, 100)
CHUNK_BAR_US = 12.0


def answers() -> dict[str, str]:
    """The same records, in two ways of writing."""
    where = {"lat": 53.5461, "lon": 9.9661, "area": "port"}
    records: list[dict[str, Any]] = [
        {"id": at, "name": f"Harbour pilot {at}", "depth_m": at * 1.25, "tags": ["tide", 'a "b"']}
        | {"open": at % 2 == 0, "note": None, "where": where}
        for at in range(RECORDS)
    ]
    close = msgspec.json.encode({"records": records, "total": RECORDS})
    return {"close": close.decode(), "indented": msgspec.json.format(close, indent=2).decode()}


def parts_of(text: str, size_bytes: int) -> list[str]:
    return [text[at : at + size_bytes] for at in range(0, len(text), size_bytes)]


def took_us(work: Callable[[], None], times: int) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e6 / times


def following_us(ask: Ask, parts: list[str]) -> float:
    """CPU of one chunk of content that its contract follows."""
    contract = PreparedContract(Contract(json=True, on_violation="fail"))

    def work() -> None:
        following = contract.follow(ask)
        for part in parts:
            following.content(0, part)
        if following.end(truncated=False, called=False, ended_twice=False) is not None:
            raise SystemExit("the answer was not taken for JSON")

    return min(took_us(work, len(parts)) for _ in range(ROUNDS))


def stream_us(ask: Ask, parts: list[str]) -> tuple[float, float]:
    """CPU of one chunk of OpenAI's stream: with a contract, and without."""
    provider: Provider = plugs.load("providers", "openai_compatible")
    contract = PreparedContract(Contract(json=True, on_violation="fail"))
    chunks = [
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":['
        b'{"index":0,"delta":{"content":%b},"finish_reason":null}]}\n\n' % msgspec.json.encode(part)
        for part in parts
    ]

    def follow() -> None:
        feed(contract.follow(ask))

    def feed(following: Following | None = None) -> None:
        reader = provider.passthrough[ask.dialect].reader(ask)
        reader.follower = following
        for chunk in chunks:
            reader.feed(chunk)
        if reader.failure is not None:
            raise SystemExit("the stream was not taken for JSON")

    rounds = [(took_us(follow, len(chunks)), took_us(feed, len(chunks))) for _ in range(ROUNDS)]
    return min(one for one, _ in rounds), min(other for _, other in rounds)


def run() -> int:
    """Prints the figures; 1 where a bar is not met."""
    ask = ask_of(b'{"model":"m","messages":[]}', "openai_chat")
    missed = False
    for way, text in answers().items():
        for size_bytes in SIZES_BYTES:
            parts = parts_of(text, size_bytes)
            found_us = following_us(ask, parts)
            missed = missed or found_us > CHUNK_BAR_US
            what = f"JSON, {way}, {size_bytes} bytes a chunk"
            sys.stdout.write(f"{what:55} {found_us:7.2f} us  (bar {CHUNK_BAR_US:g} us)\n")
        with_us, without_us = stream_us(ask, parts_of(text, SIZES_BYTES[-1]))
        what = f"OpenAI's stream of it, {SIZES_BYTES[-1]} bytes of JSON a chunk"
        sys.stdout.write(f"{what:55} {with_us:7.2f} us  (without a contract {without_us:.2f} us)\n")
    return int(missed)
