"""What is wrong with limits as they are written, for all kinds that are alike."""

import pytest
from tests.limits.asks import limit

from tidegate.core.limit import Bucket, Rolling
from tidegate.limits._kind import rate_complaint, rate_shape, window_complaint


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "`per:`"),
        ({"per_s": 0.0}, "more than nothing"),
        ({"per_s": 60.0, "burst": 0}, "`burst`"),
        ({"per_s": 86_400.0, "burst": 5}, "no `burst`"),
        ({"per_s": 60.0}, None),
        ({"per_s": 60.0, "burst": 5}, None),
    ],
)
def test_a_rate_needs_a_time_and_no_more(fields, said):
    complaint = rate_complaint(limit("requests", **fields))
    assert complaint is None if said is None else said in (complaint or "")


def test_a_rate_is_a_bucket_and_a_day_a_window():
    assert rate_shape(limit("requests", 120, per_s=60.0)) == Bucket(2.0, 120)
    assert rate_shape(limit("requests", 120, per_s=60.0, burst=10)) == Bucket(2.0, 10)
    assert rate_shape(limit("requests", 120, per_s=86_400.0)) == Rolling(120, 86_400.0)


def test_a_window_needs_whose_it_is():
    session = frozenset({"session"})
    assert "`session`" in (window_complaint(limit("turns", 1, "key"), session, "`session`") or "")
    assert window_complaint(limit("turns", 1, "key", "session"), session, "`session`") is None
    late = limit("turns", 1, "session", per_s=-1.0)
    assert "`per`" in (window_complaint(late, session, "`session`") or "")
