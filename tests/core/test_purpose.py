"""What counts as a product's use is said once: by the word of its key, or by there being no key."""

import pytest

from tidegate.core.probe import OWN, PROBE, SHADOW
from tidegate.core.purpose import BATCH_HOLD, BATCH_LINE, MEASURING, is_production


@pytest.mark.parametrize("purpose", ["production", "support", "load-test", PROBE])
def test_a_key_s_requests_are_somebody_s_whatever_word_it_has_for_them(purpose: str) -> None:
    assert is_production(purpose, has_key=True)


@pytest.mark.parametrize("purpose", ["eval", "evals", "evaluation", "evaluations", SHADOW])
@pytest.mark.parametrize("has_key", [True, False])
def test_who_measures_uses_nothing(purpose: str, has_key: bool) -> None:
    assert purpose in MEASURING
    assert not is_production(purpose, has_key=has_key)


@pytest.mark.parametrize("purpose", OWN)
def test_what_the_gateway_asks_itself_has_no_key(purpose: str) -> None:
    assert not is_production(purpose, has_key=False)
    assert is_production("production", has_key=False)  # a plan without keys


@pytest.mark.parametrize("purpose", [BATCH_LINE, BATCH_HOLD])
def test_batches_say_nothing_of_how_users_are_served_now(purpose: str) -> None:
    assert not is_production(purpose, has_key=True)
