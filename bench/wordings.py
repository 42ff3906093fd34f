"""What answers to other wordings cost: a vector, a hit and a miss over sockets, and what other
callers wait while questions are encoded on the same core."""

import http.client
import itertools
import json
import math
import re
import statistics
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from pydoc_data.topics import topics

import msgspec

from bench import figures, steps
from bench.rig import CHAT, Rig, Running
from tidegate.core.encoding import Encoder, open_encoder
from tidegate.gateway.semantic import PREFILTER_LEAST
from tidegate.text.veto import veto

NAME = "tidegate, other wordings"
PAIRS = Path(__file__).resolve().parents[2] / "shared/evals/paraphrase/qqp_dev.jsonl"
TAKEN = 0.8
BAR_MINILM_MS, BAR_STATIC_MS, BAR_LAG_MS = 15.0, 0.3, 5.0
# Of about 20 tokens.
QUESTION = "How do I reset the password of my account with number {} when I have lost my phone?"
POLITE = "Please, " + QUESTION[0].lower() + QUESTION[1:]
# Questions, of each kind and route; those that a second brings beside other callers' requests.
ASKED, A_SECOND, SECONDS, ROUNDS = 60, 30, 6, 5
# Other callers' requests a second.
RATE = 300
_PAUSE_S = 0.05
# Sentences that have little to do with each other.
_SENTENCE = re.compile(r"[A-Z][a-z ,]{40,120}\.")
_SENTENCES = [
    found[0]
    for _, text in sorted(topics.items())
    if (found := _SENTENCE.findall(" ".join(text.split())))
]


def encoders() -> int:
    """Prints what a vector takes; -> how many are over their bar."""
    over = 0
    for name, bar_ms in (("minilm", BAR_MINILM_MS), ("static", BAR_STATIC_MS)):
        encoder, took_s = open_encoder(name), []
        for number in range(200):
            began_s = time.perf_counter()
            encoder.encode([QUESTION.format(number)])
            took_s.append(time.perf_counter() - began_s)
        p50_ms = statistics.median(took_s) * 1e3
        print(f"{name}: {p50_ms:.2f} ms p50 for a question of 20 tokens, bar {bar_ms}", flush=True)
        over += p50_ms > bar_ms
    return over


def prefilter() -> int:
    """Prints how far apart `static` sees wordings that `minilm` and the veto take for the same; ->
    1 where the prefilter would miss one in a hundred."""
    if not PAIRS.exists():
        print(f"{PAIRS} is not here")
        return 0
    rows = [msgspec.json.decode(line) for line in PAIRS.read_bytes().splitlines()]
    pairs = [(row["text_a"], row["text_b"]) for row in rows]
    pairs = [(one, other) for one, other in pairs if veto(other, one) is None]
    exact, quick = (open_encoder(name) for name in ("minilm", "static"))
    scores = [_cosine(quick, *pair) for pair in pairs if _cosine(exact, *pair) >= TAKEN]
    low = sum(score < PREFILTER_LEAST for score in scores)
    print(f"{len(scores)} of {len(rows)} pairs are taken at {TAKEN}; by static the least near of")
    print(f"them is {min(scores):.2f}, and {low} are below {PREFILTER_LEAST}", flush=True)
    return int(low > len(scores) / 100)


def _cosine(encoder: Encoder, one: str, other: str) -> float:
    vectors = [array("f", vector or b"") for vector in encoder.encode([one, other])]
    return math.fsum(a * b for a, b in zip(*vectors, strict=False))


class Caller:
    """Asks a gateway over one connection."""

    def __init__(self, gateway: Running) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.peer.port, timeout=10)
        self._headers = dict(line.split(": ", 1) for line in gateway.peer.headers)
        self._headers["Content-Type"] = "application/json"

    def ask(self, model: str, question: str) -> tuple[float, str]:
        """How long its answer took, in seconds, and the tier that had it."""
        said = [{"role": "user", "content": question}]
        body = json.dumps({"model": model, "messages": said, "max_tokens": 256})
        began_s = time.perf_counter()
        self._connection.request("POST", CHAT, body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        took_s = time.perf_counter() - began_s
        assert answer.status == 200, answer.status
        return took_s, answer.headers.get("x-tidegate-cache-tier", "")


def waits(gateway: Running) -> None:
    """Prints what callers wait, one after the other."""
    caller = Caller(gateway)
    steps_of: dict[str, Callable[[int], tuple[float, str]]] = {
        "a route without it": lambda n: caller.ask("mock-model", QUESTION.format(n)),
        "a miss": lambda n: caller.ask("near", QUESTION.format(n)),
        "a hit": lambda n: caller.ask("near", POLITE.format(n)),
        "a miss, seven of eight by the prefilter": lambda n: caller.ask("filtered", _SENTENCES[n]),
    }
    for what, ask in steps_of.items():
        took_s, tiers = [], 0
        for number in range(ASKED):
            spent_s, tier = ask(number)
            took_s.append(spent_s)
            tiers += tier == "semantic"
            time.sleep(_PAUSE_S)  # what is kept is encoded behind the answer
        p50_ms = statistics.median(took_s) * 1e3
        print(f"{what}: {p50_ms:.2f} ms p50, {tiers} of {ASKED} given", flush=True)


def beside(rig: Rig, gateway: Running) -> int:
    """Prints what other callers wait at a steady rate, without questions and with them; -> 1 where
    that is over its bar."""
    numbers = itertools.count(1_000)
    found: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for busy, rounds in found.items():
            with _questions(gateway, numbers if busy else None):
                rounds.append(rig.load(gateway, "-c", 64, "-r", RATE, "-d", SECONDS))
    middle = {}
    for busy, rounds in found.items():
        for name in ("lat_p50", "lat_p99"):
            spread = figures.spread([one[name] for one in rounds])
            assert spread is not None
            what = f"beside {A_SECOND} questions a second" if busy else "alone"
            span = f"{spread.low:.2f} to {spread.high:.2f}"
            print(f"{RATE} requests a second {what}: {name} {spread.median:.2f} ({span}) ms")
            middle[busy, name] = spread.median
    added_ms = middle[True, "lat_p99"] - middle[False, "lat_p99"]
    print(f"added at p99: {added_ms:.2f} ms, bar {BAR_LAG_MS}")
    return int(added_ms > BAR_LAG_MS)


class _questions:
    """Asks what nobody has asked, at a steady rate, while it is entered."""

    def __init__(self, gateway: Running, numbers: Iterator[int] | None) -> None:
        self._gateway, self._numbers = gateway, numbers
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def _ask(self) -> None:
        caller, numbers = Caller(self._gateway), self._numbers
        while numbers is not None and not self._end.wait(len(self._threads) / A_SECOND):
            caller.ask("near", QUESTION.format(next(numbers)))

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


def run(rig: Rig, gateway: Running) -> int:
    steps.warm_up(rig, gateway)
    waits(gateway)
    return beside(rig, gateway)
