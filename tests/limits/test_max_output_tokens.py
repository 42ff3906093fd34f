import pytest
from tests.limits.asks import demand, limit

from tidegate.core.outcome import Refusal
from tidegate.limits.max_output_tokens import plug

REFUSE = limit("max_output_tokens", 100)
CAP = limit("max_output_tokens", 100, on_excess="cap")


def test_who_asks_for_more_is_refused_or_capped():
    with pytest.raises(Refusal, match="up to 101 output tokens are asked for") as caught:
        plug.check(REFUSE, demand(output_ceiling_tokens=101, output_tokens=101))
    assert caught.value.code.name == "output_too_long"
    assert caught.value.param == "max_tokens"
    beyond = demand(output_ceiling_tokens=101, output_tokens=101)
    plug.check(CAP, beyond)
    assert beyond.output_tokens == 100


@pytest.mark.parametrize("it", [REFUSE, CAP])
@pytest.mark.parametrize(("assumed", "bound"), [(4096, 100), (60, 60)])
def test_who_asks_for_nothing_is_bound_and_the_provider_is_told(it, assumed, bound):
    one = demand(output_tokens=assumed)
    plug.check(it, one)
    assert (one.output_tokens, one.bound_told) == (bound, True)


@pytest.mark.parametrize("it", [REFUSE, CAP])
def test_who_asks_for_less_is_served_as_asked(it):
    one = demand(output_ceiling_tokens=100, output_tokens=100)
    plug.check(it, one)
    assert (one.output_tokens, one.bound_told) == (100, False)


def test_who_gets_no_output_is_told_no_bound():
    one = demand(endpoint="embeddings", output_tokens=0, choices=0)
    plug.check(REFUSE, one)
    assert not one.bound_told


def test_it_cannot_alert():
    alert = limit("max_output_tokens", on_excess="alert")
    assert "cannot alert" in (plug.complaint(alert) or "")
