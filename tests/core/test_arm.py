"""Who belongs to which arm: the published formula, and what a rising weight may do."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.arm import bucket, is_canary

UNITS = [f"user-{n}" for n in range(20_000)]


@given(salt=st.text(st.characters(exclude_categories=["Cs"])), unit=st.text(st.characters()))
def test_the_place_is_the_first_eight_bytes_of_the_hash(salt: str, unit: str) -> None:
    text = salt.encode() + b"\x1f" + unit.encode("utf-8", "surrogatepass")
    assert bucket(salt, unit) == int.from_bytes(sha256(text).digest()[:8], "big")


@given(
    place=st.integers(0, 2**64 - 1),
    weights=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_a_higher_weight_moves_nobody_back(place: int, weights: list[float]) -> None:
    lower, higher = weights
    assert is_canary(place, higher) or not is_canary(place, lower)


def test_the_whole_weight_has_everybody_and_none_has_nobody() -> None:
    for place in (0, 2**63, 2**64 - 1):
        assert is_canary(place, 1.0) and not is_canary(place, 0.0)


def test_shares_are_those_of_the_weight_and_a_new_salt_chooses_others() -> None:
    first, second = ({u for u in UNITS if is_canary(bucket(s, u), 0.05)} for s in ("one", "two"))
    # 0.05 of 20,000 is 1,000, with a standard deviation of 31; of both 50, with one of 7.
    assert 850 < len(first) < 1150 and 850 < len(second) < 1150
    assert len(first & second) < 90
