from tests.limits.asks import limit

from tidegate.core.limit import Reading, Rolling
from tidegate.limits.turns import plug


def test_an_hour_of_a_session_or_a_trace():
    for dimension in ("session", "trace"):
        assert plug.complaint(limit("turns", 30, dimension)) is None
    assert plug.shape(limit("turns", 30, "trace")) == Rolling(30, 3600.0)
    assert "`session` or `trace`" in (plug.complaint(limit("turns", 30, "key")) or "")


def test_an_agent_that_runs_on_is_told_so():
    no = plug.refusal(limit("turns", 30, "trace"), "trace t", Reading(30, 30, 3600.0, 600.0))
    assert no.code.name == "turn_limit_exceeded"
    assert "30 of 30 calls" in no.message
