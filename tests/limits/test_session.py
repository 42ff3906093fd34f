from tests.limits.asks import demand, limit, receipt

from tidegate.core.limit import Reading, Rolling
from tidegate.limits.session import plug

REFUSE = limit("session", 50_000, "session")
ALERT = limit("session", 50_000, "session", on_excess="alert")


def test_five_minutes_unless_it_is_said_otherwise():
    assert plug.shape(REFUSE) == Rolling(50_000, 300.0)
    assert plug.shape(limit("session", 50_000, "session", per_s=60.0)) == Rolling(50_000, 60.0)


def test_what_only_alerts_holds_nothing_and_counts_what_was_used():
    assert plug.amount(REFUSE)(demand(choices=2)) == 200
    assert plug.amount(ALERT)(demand(choices=2)) == 0
    assert plug.used(ALERT)(receipt(input_tokens=10, output_tokens=5)) == 15


def test_a_session_is_told_of_its_own_limit():
    no = plug.refusal(REFUSE, "session abc", Reading(49_000, 50_000, 300.0, 120.0))
    assert no.code.name == "session_limit_exceeded"
    assert "49,000 of 50,000 tokens of the session" in no.message


def test_what_cannot_be_enforced_is_complained_of():
    assert "`session`" in (plug.complaint(limit("session", 1, "key")) or "")
    assert "cannot cap" in (plug.complaint(limit("session", 1, "session", on_excess="cap")) or "")
