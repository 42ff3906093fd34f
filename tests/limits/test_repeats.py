from tests.limits.asks import limit

from tidegate.core.limit import Reading, Rolling
from tidegate.limits.repeats import plug


def test_it_counts_prompts_of_somebody():
    assert plug.complaint(limit("repeats", 5, "prompt", "session")) is None
    assert "[session, prompt]" in (plug.complaint(limit("repeats", 5)) or "")
    assert "[session, prompt]" in (plug.complaint(limit("repeats", 5, "prompt")) or "")
    assert "`prompt`" in (plug.complaint(limit("repeats", 5, "key", "session")) or "")
    assert plug.shape(limit("repeats", 5, "prompt", "session")) == Rolling(5, 300.0)


def test_who_goes_in_circles_is_told_so():
    no = plug.refusal(limit("repeats", 5), "session s", Reading(5, 5, 300.0, 200.0))
    assert no.code.name == "turn_limit_exceeded"
    assert "5 of 5 prompts that are nearly the same" in no.message
