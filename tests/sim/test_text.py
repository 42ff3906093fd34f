import math

from hypothesis import given
from hypothesis import strategies as st

from tidegate.sim import text


@given(st.text())
def test_tokens_joined_are_the_text(any_text):
    assert "".join(text.pieces(any_text)) == any_text


@given(st.integers(0, 2**64 - 1), st.integers(0, 300))
def test_drawn_text_counts_as_many_tokens_when_it_comes_back(seed, count):
    tokens = text.words(seed, count)
    assert len(tokens) == count
    assert text.pieces("".join(tokens)) == tokens


def test_a_long_word_is_several_tokens():
    assert text.pieces("extraordinarily good!") == ["extraord", "inarily", " good", "!"]


def test_the_seed_alone_decides():
    assert text.words(7, 20) == text.words(7, 20) != text.words(8, 20)
    assert text.seed_of(1, None, "a") != text.seed_of(1, 0, "a")
    lengths = [text.natural_tokens(seed) for seed in range(500)]
    assert min(lengths) >= text.MIN_NATURAL_TOKENS
    assert max(lengths) <= text.MAX_NATURAL_TOKENS
    assert math.isclose(sorted(lengths)[250], 64, rel_tol=0.3)


def test_ids_are_the_same_wherever_a_token_stands():
    one, other = text.token_ids([" tide", " gate"]), text.token_ids([" gate", " tide"])
    assert one == other[::-1]
    assert text.digest_of(one) != text.digest_of(other)


@given(
    st.lists(st.sampled_from(["a", " bb", "c", " d"]), max_size=12),
    st.sampled_from(["a", "bb", "c d", "x"]),
)
def test_text_ends_before_the_first_stop_sequence(tokens, stop):
    shown, generated, stopped = text.until_stop(tokens, [stop])
    whole = "".join(tokens)
    assert stopped == (stop in whole)
    assert "".join(shown) == whole.split(stop)[0]
    if stopped:
        assert stop in "".join(tokens[:generated])
        assert stop not in "".join(tokens[: generated - 1])
    else:
        assert generated == len(tokens)


def test_the_earliest_of_several_stops_counts():
    assert text.until_stop(["one", " two", " three"], ["three", "two"])[1] == 2
