"""How well follow-ups are told from what users say next: `python -m bench.follow_ups`.

Over `../shared/evals`. Pairs of questions (Quora's) are split in two by a hash of all the questions
that one is compared with, so that none is in both halves; the threshold is the lowest by which at
most 10 % of the pairs of different questions of the one half are taken for the same, and the other
half says how that does on what nobody has looked at. Other sets say what an ordinary next turn is
like. Then what telling and drawing cost.
"""

import csv
import hashlib
import timeit
from bisect import bisect_left
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.core.capture import Capture
from tidegate.core.conversation_place import conversation_place
from tidegate.core.receipt import Receipt
from tidegate.text import restated
from tidegate.text.correction import is_correction
from tidegate.text.fingerprint import conversation

_EVALS: Final = Path(__file__).parents[2] / "shared/evals"
_MOST_WRONG: Final = 0.10

Pair = tuple[str, str]


def main() -> None:
    _tell_threshold()
    _tell_restated()
    _tell_corrections()
    _tell_costs()


def _tell_threshold() -> None:
    halves = _halves()
    _, different = halves[0]
    steps = range(100)
    at = bisect_left(steps, True, key=lambda it: _taken(different, it / 100) <= _MOST_WRONG)
    least = steps[at] / 100
    print(f"the lowest threshold by the first half: {least:.2f}, in use: {restated.THRESHOLD:.2f}")
    for name, half in zip(("first", "second"), halves, strict=True):
        told = [sum(restated.is_restated(*it) for it in pairs) for pairs in half]
        of = [len(pairs) for pairs in half]
        print(
            f"{name} half: restated {told[0]} of {of[0]} ({told[0] / of[0]:.1%}), "
            f"different ones taken for it {told[1]} of {of[1]} ({told[1] / of[1]:.1%})"
        )


def _tell_restated() -> None:
    scored = _rows("paraphrase/stsb_dev.jsonl")
    alike = [(it["sentence1"], it["sentence2"]) for it in scored if it["score"] >= 4.5]
    unlike = [(it["sentence1"], it["sentence2"]) for it in scored if it["score"] <= 2.5]
    second = [tuple(it["turns"]) for it in _rows("mt_bench/question.jsonl")]
    verbatim = [(it["text_a"], f"{it['text_a'].lower()}?") for it in _questions()]
    sets: dict[str, Iterable[Any]] = {
        "STS-B, scores from 4.5": alike,
        "STS-B, scores up to 2.5": unlike,
        "MT-Bench, second turns": second,
        "Quora, word for word": verbatim,
    }
    for name, pairs in sets.items():
        _tell(name, (restated.is_restated(*it) for it in pairs))


def _tell_corrections() -> None:
    intents = _rows("intents/clinc150_test.jsonl")
    banking = _EVALS / "intents/banking77_train.csv"
    with banking.open(newline="") as file:
        asked = [it["text"] for it in csv.DictReader(file)]
    sets = {
        "Quora's questions": [it["text_a"] for it in _questions()],
        "Banking77": asked,
        "CLINC150, all but `no`": [it["text"] for it in intents if it["intent"] != "no"],
        "MT-Bench, second turns": [it["turns"][1] for it in _rows("mt_bench/question.jsonl")],
        "IFEval": [it["prompt"] for it in _rows("ifeval/input_data.jsonl")],
        "GSM8K": [it["question"] for it in _rows("gsm8k/test.jsonl")],
    }
    for name, turns in sets.items():
        _tell(f"corrections, {name}", (is_correction(it) for it in turns))


def _tell_costs() -> None:
    short, long = "What is the capital of Australia?", "many words of a question " * 160
    said = [{"role": it, "content": short} for it in ("user", "assistant") * 4]
    turn = msgspec.json.encode(said)
    receipt, capture = Receipt("0198f2c4", 0.0, "g", "chat", key_id="k"), Capture(0.05)

    def draw() -> None:
        receipt.conversation = conversation(msgspec.Raw(turn))
        capture.wants(receipt, conversation_place(receipt))

    costs: dict[str, Callable[[], object]] = {
        "draw by the request": lambda: capture.wants(receipt),
        f"draw by its conversation of {len(turn):,} bytes": draw,
        "restated, short": lambda: restated.is_restated(short, short),
        "restated, 2,000 characters": lambda: restated.is_restated(long, long),
        "correction": lambda: is_correction(long),
    }
    for name, run in costs.items():
        times = max(1, int(0.1 / (timeit.timeit(run, number=20) / 20)))
        print(f"{name}: {min(timeit.repeat(run, number=times, repeat=5)) / times * 1e6:.1f} us")


def _tell(name: str, found: Iterable[bool]) -> None:
    told = list(found)
    print(f"{name}: {sum(told)} of {len(told)} ({sum(told) / len(told):.2%})")


def _halves() -> tuple[tuple[list[Pair], list[Pair]], tuple[list[Pair], list[Pair]]]:
    """Of each half the pairs that ask the same, and those that do not."""
    rows = _questions()
    parent: dict[str, str] = {}

    def group(text: str) -> str:
        while parent.setdefault(text, text) != text:
            parent[text] = text = parent[parent[text]]
        return text

    for it in rows:
        one, other = sorted((group(it["text_a"]), group(it["text_b"])))
        parent[other] = one
    halves: tuple[tuple[list[Pair], list[Pair]], tuple[list[Pair], list[Pair]]]
    halves = ([], []), ([], [])
    for it in rows:
        half = hashlib.sha256(group(it["text_a"]).encode()).digest()[0] % 2
        halves[half][it["label"] == 0].append((it["text_a"], it["text_b"]))
    return halves


def _taken(pairs: list[Pair], threshold: float) -> float:
    """The share of them that are told to ask the same."""
    return sum(restated.is_restated(*it, threshold) for it in pairs) / len(pairs)


def _questions() -> list[dict[str, Any]]:
    return _rows("paraphrase/qqp_dev.jsonl")


def _rows(path: str) -> list[dict[str, Any]]:
    lines = (_EVALS / path).read_bytes().splitlines()
    return [msgspec.json.decode(line) for line in lines]


if __name__ == "__main__":
    main()
