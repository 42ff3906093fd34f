"""CPU of translating between dialects: a chunk of a stream, a whole request and answer.

Each figure is the least of several rounds, because others work on the machine too. Below the table
stands what a chunk costs that passes as it is.
"""

import sys
import time
from collections.abc import Callable

import msgspec
from msgspec import Raw

from bench import wires
from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.plan import Replica, Target
from tidegate.core.plugs import Dialect, Provider, Stamp, StreamReader
from tidegate.core.translated import TranslatedReader

ROUNDS = 15
REQUESTS = 300
CHUNK_BAR_US = 15.0
REQUEST_BAR_US = 60.0
STAMP = Stamp("019a0000-0000-7000-8000-000000000000", 1_795_000_000.0)
MODELS = {
    "openai_compatible": "gpt-4.1",
    "anthropic": "claude-sonnet-4-5",
    "bedrock": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gemini": "gemini-2.5-flash",
    "mistral": "mistral-medium-latest",
    "cohere": "command-a-03-2025",
}
PASSED = (
    ("openai_chat", "openai_compatible"),
    ("anthropic_messages", "anthropic"),
    ("openai_responses", "openai"),
)


def least_us(work: Callable[[], None], times: int) -> float:
    """CPU of one of `times`, in the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1e6 / times


def stream_us(make: Callable[[], StreamReader], chunks: list[bytes]) -> float:
    def work() -> None:
        reader = make()
        for chunk in chunks:
            reader.feed(chunk)
        if reader.end() is not None:
            raise SystemExit("the stream was not read to its end")

    return least_us(work, len(chunks))


def request_us(dialect: Dialect, provider: Provider, ask: Ask, model: str) -> float:
    replica = Replica("r", "http", "127.0.0.1", 80, "/v1")
    target = Target("t", "p", "d", model, (replica,))

    def work() -> None:
        for _ in range(REQUESTS):
            provider.encode_conversation(dialect.read(ask), ask, target, False)

    return least_us(work, REQUESTS)


def answer_us(dialect: Dialect, provider: Provider, ask: Ask, body: bytes) -> float:
    def work() -> None:
        for _ in range(REQUESTS):
            dialect.whole(ask, STAMP, provider.read_spoken(ask, body))

    return least_us(work, REQUESTS)


def ask_of(body: bytes, dialect: str) -> Ask:
    members = msgspec.json.decode(body, type=dict[str, Raw])
    ask = Ask("chat", body, members, "m", True, True, dialect=dialect)
    ask.output_ceiling_tokens = 500
    return ask


def translated_us(caller: str, target: str) -> tuple[float, float, float]:
    """(a chunk, a request, a whole answer)."""
    dialect: Dialect = plugs.load("dialects", caller)
    provider: Provider = plugs.load("providers", target)
    ask = ask_of(wires.requests()[caller], caller)

    def reader() -> StreamReader:
        return TranslatedReader(provider.spoken_reader(ask), dialect.writer(ask, STAMP))

    return (
        stream_us(reader, wires.streams()[target]),
        request_us(dialect, provider, ask, MODELS[target]),
        answer_us(dialect, provider, ask, wires.answers()[target]),
    )


def passed_us(caller: str, target: str) -> float:
    """A chunk that passes as it is."""
    provider: Provider = plugs.load("providers", target)
    ask = ask_of(wires.requests()[caller], caller)
    return stream_us(lambda: provider.passthrough[caller].reader(ask), wires.streams()[target])


def run() -> int:
    """Prints the figures; 1 where a bar is not met."""
    missed = False
    turns = 3 * wires.TURNS
    sys.stdout.write(
        f"us of CPU; bars: {CHUNK_BAR_US:g} a chunk, {REQUEST_BAR_US:g} a request of {turns} "
        f"messages with its whole answer\n{'':40}{'chunk':>8}{'request':>9}{'answer':>8}\n"
    )
    for caller in wires.requests():
        for target in wires.answers():
            if (caller, target) in PASSED:
                continue
            chunk, request, answer = translated_us(caller, target)
            over = chunk > CHUNK_BAR_US or request + answer > REQUEST_BAR_US
            missed = missed or over
            name = f"{caller} -> {target}"
            row = f"{name:40}{chunk:8.2f}{request:9.1f}{answer:8.1f}"
            sys.stdout.write(f"{row}{'  over the bar' if over else ''}\n")
    for caller, target in PASSED:
        sys.stdout.write(f"{f'{target}: passed on':40}{passed_us(caller, target):8.2f}\n")
    return int(missed)
