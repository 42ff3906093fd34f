"""One failure is none, three or two minutes are an outage, and one verdict does not end it."""

from tidegate.evals.live_outage import FAILED_FOR_S, Outage


def test_three_in_a_row_are_an_outage_and_two_verdicts_its_end() -> None:
    it = Outage()
    for second in (1.0, 2.0):
        it.failed("unreachable", second)
        assert (it.why, it.is_doubtful) == (None, True)
    it.failed("status 503", 3.0)
    assert it.why == "status 503"
    it.well()
    assert (it.why, it.is_doubtful) == ("status 503", False)
    it.failed("unreachable", 4.0)
    it.well()
    assert it.why == "unreachable"
    it.well()
    assert it.why is None


def test_single_failures_between_verdicts_are_none() -> None:
    it = Outage()
    for second in range(10):
        it.failed("unreachable", float(second))
        it.well()
        assert it.why is None


def test_two_that_fail_for_two_minutes_are_one() -> None:
    it = Outage()
    it.failed("unreachable", 10.0)
    it.failed("unreachable", 10.0 + FAILED_FOR_S)
    assert it.why == "unreachable"
