"""Every lever has bounds, a reader in some stage, and a merge whose order does not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.levers import EVERY, LEVERS, Lever, merged, splits, wrong

CLAMPS = [lever for lever in LEVERS.values() if lever.kind == "clamp"]


@given(st.sampled_from(CLAMPS), st.data())
def test_clamps_merge_in_any_order_and_any_number_of_times(
    lever: Lever, data: st.DataObject
) -> None:
    amount = st.floats(lever.least, lever.most)
    values = data.draw(st.lists(amount, min_size=1, max_size=6))
    again = data.draw(st.permutations(values + data.draw(st.lists(st.sampled_from(values)))))
    assert merged(lever, again) == merged(lever, values)
    part = data.draw(st.integers(0, len(values) - 1))
    nested = [merged(lever, values[: part + 1]), *values[part + 1 :]]
    assert merged(lever, nested) == merged(lever, values)


@given(st.sampled_from(CLAMPS), st.data())
def test_one_more_clamp_never_gives_way(lever: Lever, data: st.DataObject) -> None:
    amount = st.floats(lever.least, lever.most)
    values = data.draw(st.lists(amount, min_size=1))
    tighter = merged(lever, [*values, data.draw(amount)])
    before = merged(lever, values)
    assert tighter <= before if lever.merge == "min" else tighter >= before


def test_a_dial_has_one_holder_and_a_clamp_a_merge() -> None:
    for lever in LEVERS.values():
        assert (lever.merge == "only") == (lever.kind == "dial")
        assert lever.least < lever.most
        assert lever.unit
        assert lever.meaning


@pytest.mark.parametrize(
    ("name", "scope", "value", "says"),
    [
        ("replica_count", "chat", 1, "there is no lever replica_count"),
        ("release_weight", "chat", 1.01, "from 0 to 1 share"),
        ("release_weight", "chat", float("nan"), "from 0 to 1 share"),
        ("output_cap_tokens", "chat", 0, "from 1 to 1e+09 tokens"),
        ("route_off", "chat", 0.5, "is 0 or 1"),
        ("shed_rank", "chat", 1, "has no scope"),
        ("release_weight", EVERY, 0.5, "not of every"),
        ("target_weight", "chat", 2, "is of a route/target"),
        ("target_weight", "chat/", 2, "is of a route/target"),
        ("target_off", "", 1, "nothing is named"),
        ("target_weight", "/small", 2, "is of a route/target"),
    ],
)
def test_what_is_wrong_with_a_value_is_said(name: str, scope: str, value: float, says: str) -> None:
    assert says in (wrong(name, scope, value) or "")


def test_a_pair_is_told_apart_wherever_its_stroke_is() -> None:
    assert list(splits("team/chat/small")) == [("team", "chat/small"), ("team/chat", "small")]
    assert list(splits("chat")) == list(splits("chat/")) == list(splits("/small")) == []


@pytest.mark.parametrize(
    ("name", "scope", "value"),
    [
        ("release_weight", "chat", 0.05),
        ("target_weight", "chat/small", 3),
        ("target_off", "small", 1),
        ("target_off", "openai/gpt-5", 1),
        ("target_weight", "team/chat/openai/gpt-5", 3),
        ("route_off", EVERY, 1),
        ("shed_rank", "", 2),
    ],
)
def test_what_is_right_is_not_spoken_against(name: str, scope: str, value: float) -> None:
    assert wrong(name, scope, value) is None
