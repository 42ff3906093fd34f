import pytest
from tests.limits.asks import demand, limit, receipt

from tidegate.core.receipt import Receipt
from tidegate.limits._tokens import input_tokens, output_tokens, total_tokens
from tidegate.limits.tokens import plug


def used() -> Receipt:
    return receipt(
        input_tokens=100,
        cache_read_tokens=1001,
        cache_write_tokens=10,
        output_tokens=40,
        reasoning_tokens=5,
    )


@pytest.mark.parametrize(
    ("count", "weight", "held", "came_to"),
    [
        ("input", 1.0, 100, 1111),
        ("input", 0.5, 100, 611),  # half of a cached token counts as a whole one
        ("input", 0.0, 100, 110),
        ("output", 1.0, 150, 45),
        ("total", 1.0, 250, 1156),
        ("total", 0.0, 250, 155),
    ],
)
def test_tokens_held_and_used(count, weight, held, came_to):
    it = limit("tokens", per_s=60.0, count=count, cached_weight=weight)
    assert plug.complaint(it) is None
    assert plug.amount(it)(demand(choices=3)) == held
    assert plug.used(it)(used()) == came_to


@pytest.mark.parametrize("count", ["input", "output", "total"])
@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_what_nobody_told_is_unknown(count, weight):
    weight = 1.0 if count == "output" else weight
    it = limit("tokens", per_s=60.0, count=count, cached_weight=weight)
    assert plug.used(it)(receipt()) is None


def test_embeddings_have_no_output():
    told = receipt("embeddings", input_tokens=7)
    assert (input_tokens(told), output_tokens(told), total_tokens(told)) == (7, 0, 7)
    assert total_tokens(receipt(input_tokens=7)) is None


def test_weights_that_weigh_nothing_are_complained_of():
    assert "`cached_weight`" in (plug.complaint(limit("tokens", per_s=60.0, cached_weight=2)) or "")
    output = limit("tokens", per_s=60.0, count="output", cached_weight=0.5)
    assert "remove `cached_weight`" in (plug.complaint(output) or "")
