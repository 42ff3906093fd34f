"""Rungs of a ladder as people read them."""

from tidegate.config.show_ladder import rung_text, when_text
from tidegate.core.ladder import FAILURES, Handover, History, Rung, When
from tidegate.core.prompt import RoutePrompt


def test_what_leads_to_a_rung() -> None:
    assert when_text(When()) == "only `ladder_floor`"
    assert when_text(When(FAILURES)) == "any failure"
    whole = When(("timeout",), 80, 3.0, 20.0, ("empty", "refused"), True)
    assert when_text(whole) == (
        "80 % of a budget; timeout; no first token after 3 s; no answer after 20 s; "
        "an answer that is empty or refused; requests are shed"
    )
    assert when_text(When(forecast_percent=120)) == "120 % of a budget foreseen"


def test_what_a_rung_does() -> None:
    history = History(1, 2, 300, True, True)
    asked = Rung("a", max_output_tokens=9, target="m", prompt=RoutePrompt("p"), history=history)
    assert rung_text(asked) == (
        'asks "m", at most 9 tokens of answer, by the prompt p@stable, of the conversation the '
        "first 1 and the last 2 turns about 300 tokens without what tools have said without white "
        "space that tells nothing"
    )
    assert rung_text(Rung("a", system_prompt="x")).startswith("asks the route's own, by the system")
    assert (
        rung_text(Rung("a", "stale", stale_s=9.0)) == "gives a kept answer, stale for 9 s at most"
    )
    assert rung_text(Rung("a", "batch_only")) == "refuses all but batch work"
    assert rung_text(Rung("a", "apology", text="No.")).startswith('says "No."')
    told = Rung("a", "handover", text="Yes.", handover=Handover("http://d", conversation=True))
    assert rung_text(told).startswith('tells http://d, with what was said, and says "Yes."')
