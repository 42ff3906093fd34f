import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.limit import Bucket, Calendar, Gauge, Reading, Rolling
from tidegate.stores.redis_wants import (
    Granted,
    Quota,
    Refused,
    Unlearnt,
    Want,
    answer,
    keys_of,
    tag_of,
    words_of,
)

DAYS = (0, 86_400, 172_800, 259_200)


def values(words: bytes) -> list[bytes]:
    return words.split(b"\r\n")[1::2]


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (Quota("l", Bucket(0.5, 7), lease_s=2.0), "b 7 2000 3 30 0.5 0 0 0 0"),
        (Quota("l", Rolling(9, 60.0, 6), lease_s=2.0), "r 9 2000 3 30 60000000 6 0 0 0"),
        (Quota("l", Calendar(9, "day"), lease_s=2.0), "c 9 2000 3 30 0 86400 172800 259200 0"),
        (Quota("l", Gauge(9), lease_s=2.0), "g 9 2000 3 30 0 0 0 0 0"),
    ],
)
def test_the_words_of_a_shape(quota: Quota, words: str) -> None:
    want = Want(quota, "", 1, None, DAYS)
    assert values(words_of(want, quota.lease_s, 3, 30)) == words.encode().split()


@pytest.mark.parametrize(("allowed", "slice"), [(1, 1), (99, 1), (100, 1), (1_000, 10)])
def test_a_slice_is_a_hundredth_and_never_nothing(allowed: int, slice: int) -> None:
    assert Quota("l", Gauge(allowed)).slice == slice


@given(group=st.text(), scope=st.text())
def test_all_keys_of_a_group_lie_together_in_a_cluster(group: str, scope: str) -> None:
    """A cluster goes by what stands between the first brace and the next that closes."""
    tag = tag_of(group)
    assert tag[0] == "{"
    assert tag.index("}") == len(tag) - 1 >= 2
    keys = keys_of(Want(Quota("l{}", Gauge(1)), scope, 1, group), "1.x")
    assert keys.count(f"tidegate:{tag}:1.x:l%7B%7D:g:{scope}".encode()) == 2


def test_limits_whose_names_hold_colons_share_no_key() -> None:
    first = keys_of(Want(Quota("a:b", Gauge(1)), "c", 1), "e")
    assert first != keys_of(Want(Quota("a", Gauge(1)), "b:c", 1), "e")


def test_an_answer_of_each_kind() -> None:
    wants = [Want(Quota("a", Gauge(5)), "", 1), Want(Quota("b", Gauge(9)), "", 2)]
    assert answer(wants, [-1]) is None
    assert answer(wants, [-2, 1]) == Unlearnt(1)
    assert answer(wants, [0, 1, 9, 2_000_000, -1]) == Refused(1, Reading(9, 9, 2.0, None))
    assert answer(wants, [1, 1, 4, 0, 0, 0, 3, 9, 1_500_000, 500_000, 1]) == [
        Granted(1, False, Reading(4, 5, 0.0, 0.0)),
        Granted(3, True, Reading(9, 9, 1.5, 0.5)),
    ]
