from tests.limits.asks import limit, receipt

from tidegate.core.declared_scalars import MAX_SECONDS
from tidegate.core.limit import GAUGE_RETRY_S, Gauge, Reading
from tidegate.limits.concurrency import plug


def test_a_place_is_free_again_once_its_request_has_ended():
    it = limit("concurrency", 3)
    assert plug.shape(it) == Gauge(3)
    assert Gauge(3).lease_s >= 2 * MAX_SECONDS  # as long as a plan may let a request wait and last
    assert plug.used(it)(receipt(output_tokens=5)) == 0


def test_who_finds_no_place_is_asked_to_come_again_soon():
    no = plug.refusal(limit("concurrency", 3), "key a", Reading(3, 3, None, GAUGE_RETRY_S))
    assert no.code.name == "concurrency_limit_exceeded"
    assert no.retry_after_s == 1.0
    assert "3 are allowed at once" in no.message
