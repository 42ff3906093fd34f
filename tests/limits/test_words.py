import pytest
from tests.limits.asks import limit

from tidegate.core.limit import Reading
from tidegate.core.outcome import Excess
from tidegate.limits._words import duration, full, judged, period


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "1 second"),
        (0.2, "1 second"),
        (1.0, "1 second"),
        (1.1, "2 seconds"),
        (90.0, "90 seconds"),
        (121.0, "3 minutes"),
        (7200.0, "2 hours"),
        (36 * 3600.0, "36 hours"),
        (12.5 * 86_400, "13 days"),
    ],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("per_s", "words"),
    [
        (None, ""),
        (1.0, " a second"),
        (60.0, " a minute"),
        (3600.0, " an hour"),
        (86_400.0, " a day"),
        (300.0, " in 5 minutes"),
    ],
)
def test_periods_in_words(per_s, words):
    assert period(per_s) == words


def test_a_full_limit_in_words():
    no = full(
        "rate_limit_exceeded",
        limit("tokens", 60_000, "team", per_s=60.0),
        "team growth",
        Reading(58_200, 60_000, 58.2, 2.4),
        "tokens",
    )
    assert no.message == (
        'limit "the-limit" (team growth): 58,200 of 60,000 tokens a minute are used, and this '
        "request does not fit; try again in 3 seconds"
    )
    assert no.retry_after_s == 2.4


def test_a_burst_is_not_told_as_what_is_allowed_in_the_time():
    it = limit("requests", 60, "key", per_s=60.0, burst=10)
    no = full("rate_limit_exceeded", it, "key a", Reading(10, 10, 10.0, 1.0), "requests")
    assert ": 10 of 10 requests at once (60 a minute) are used, and" in no.message
    no = full("rate_limit_exceeded", it, "key a", Reading(0, 10, 0.0, None), "requests")
    assert "more than the 10 requests that are allowed at once (60 a minute); wait" in no.message


def test_a_judgement_names_the_member():
    no = judged("input_too_long", limit("max_input_tokens", 10), 11, "it is long", "messages")
    assert no.param == "messages"
    assert no.excess == Excess("the-limit", "this request", 11, 10)
