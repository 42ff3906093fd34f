"""What is told of a tier says what is known, and no more."""

from tests.controllers.cached import ACTS, BAD, GOOD, NOON_S, WRONG, blocks

from tidegate.controllers._cache_worth_words import View, evidence, why
from tidegate.core.cache_worth import Quality, Worth
from tidegate.core.signal import NoData, Value
from tidegate.stats.worth import found

VIEW = View("faq", NOON_S, ACTS)


def test_readings_have_their_units_and_bounds() -> None:
    told = {it.name: it for it in evidence(VIEW, "exact", found(blocks(BAD), ACTS, Quality()))}
    assert told["cache_lookups"].reading == Value(7200.0)
    assert told["cache_net_s_per_lookup"].unit == "s"
    assert told["cache_net_usd_per_lookup_low"].unit == "USD"
    assert "cache_bad_hits_low" not in told


def test_what_nobody_knows_is_no_number() -> None:
    nothing = found(blocks(BAD, 1), ACTS, Quality())
    told = {it.name: it for it in evidence(VIEW, "exact", nothing)}
    assert told["cache_net_usd_per_lookup"].reading == NoData("missing")


def test_a_sentence_of_both_of_each_apart_and_of_wrong_answers() -> None:
    both = why(VIEW, "exact", found(blocks(BAD), ACTS, Quality()))
    assert "360 of 7200 lookups of exact answers were hits" in both and "priced" in both
    apart = why(VIEW, "exact", found(blocks(BAD), Worth(), Quality()))
    assert "USD" in apart and " ms (" in apart
    judged = why(VIEW, "semantic", found(blocks(GOOD), ACTS, WRONG))
    assert "of them are bad" in judged
