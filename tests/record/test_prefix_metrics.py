"""What prefix caches had and saved, as series."""

from typing import Any

from tests.stores import rig as stores

from tidegate.core.receipt import Receipt
from tidegate.record import cache_catalogue
from tidegate.record.metrics import Metrics

SIX = ("chat", "7", "target")


def made(**fields: Any) -> Receipt:
    usual = {"route": "chat", "prompt_version": "7", "target": "target", "output_tokens": 1}
    nothing = {"cache_read_tokens": None, "cache_write_tokens": None, "input_tokens": 10}
    return stores.receipt(1_790_000_040, **{**usual, **nothing, **fields})


def test_tokens_and_money_by_version_of_the_prompt() -> None:
    metrics = Metrics()
    metrics.observe(
        [
            made(cache_read_tokens=90, prefix_saved_nanousd=2_000_000_000),
            made(cache_write_tokens=30, prefix_saved_nanousd=-500_000_000),
            made(cache_read_tokens=5, prompt_version="8"),
            made(cache_read_tokens=0),
            made(),
            made(input_tokens=None),
            made(endpoint="embeddings"),
        ]
    )
    tokens = metrics.family(cache_catalogue.PREFIX_TOKENS)
    classes = [tokens.cell(*SIX, name).total for name in ("read", "written", "plain")]
    assert classes == [90, 30, 30]
    assert metrics.family(cache_catalogue.PREFIX_SAVED).cell(*SIX).total == 2.0
    assert metrics.family(cache_catalogue.PREFIX_LOST).cell(*SIX).total == 0.5
    assert metrics.family(cache_catalogue.PREFIX_UNTOLD).cell(*SIX).total == 1
    unknown = metrics.family(cache_catalogue.PREFIX_SAVED_UNKNOWN)
    assert [unknown.cell("chat", it, "target").total for it in ("7", "8")] == [0, 1]


def test_many_combinations_are_forgotten_and_counted_on() -> None:
    metrics = Metrics()
    metrics.observe([made(prompt_version=str(number % 4200)) for number in range(4201)])
    assert metrics.family(cache_catalogue.PREFIX_UNTOLD).cell("chat", "0", "target").total == 2
