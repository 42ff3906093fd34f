from tests.limits.asks import demand, limit, receipt

from tidegate.limits.requests import plug


def test_a_request_counts_once_however_it_ends():
    it = limit("requests", 10, per_s=1.0)
    assert plug.amount(it)(demand(choices=5)) == 1
    assert plug.used(it)(receipt(error_code="upstream_error", status=502)) == 1


def test_a_limit_without_a_time_is_complained_of():
    assert "`per:`" in (plug.complaint(limit("requests")) or "")
