import pytest
from tests.limits.asks import demand, limit

from tidegate.core.outcome import Refusal
from tidegate.limits.max_input_tokens import plug

TEN = limit("max_input_tokens", 10)


def test_what_fits_by_its_bytes_is_not_counted():
    bound = demand(input_tokens=10, input_exact=False)
    plug.check(TEN, bound)
    assert not bound.input_exact


@pytest.mark.parametrize(
    ("exact", "endpoint", "words", "param"),
    [
        (True, "chat", "has 11 tokens", "messages"),
        (False, "completions", "has by its length up to 11 tokens", "prompt"),
        (True, "embeddings", "has 11 tokens", "input"),
    ],
)
def test_what_is_longer_is_refused(exact, endpoint, words, param):
    with pytest.raises(Refusal, match=words) as caught:
        plug.check(TEN, demand(endpoint=endpoint, input_tokens=11, input_exact=exact))
    assert caught.value.param == param
    assert caught.value.code.name == "input_too_long"
