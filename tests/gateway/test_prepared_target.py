"""Which replica, with which credential, of one target."""

import pytest
from msgspec.structs import replace
from tests.gateway.prepared import ASK, prepared, trip
from tests.gateway.rig import target

from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure
from tidegate.core.resilience import Breaker
from tidegate.gateway.prepared_target import Pace


def names(it: object, times: int, now_s: float = 0.0) -> set[str]:
    chosen = [it.choose((), 1, now_s) for _ in range(times)]  # type: ignore[attr-defined]
    return {f"{one.name}{one.credential.name}" for one in chosen}


def test_the_least_busy_serves_and_of_equals_each_in_turn() -> None:
    assert names(prepared("a", (3, 1, 2)), 3) == {"r1"}
    assert names(prepared("a", (0, 0), ("A", "B")), 4) == {"r0A", "r1A", "r0B", "r1B"}


def test_who_was_tried_before_is_asked_when_nobody_else_is_left() -> None:
    it = prepared("a", (0, 5))
    first, second = it.replicas
    assert it.choose([first], 1, 0.0) is second
    assert it.choose([first, second], 1, 0.0) is first


def test_who_was_tried_is_asked_again_rather_than_who_cannot_be_asked() -> None:
    throttled = prepared("a", (0,), ("A", "B"))
    tried, other = throttled.replicas
    other.credential.rate.refused(30.0, 0.0)
    assert throttled.choose([tried], 1, 1.0) is tried
    assert throttled.choose([tried], 1, 31.0) is other
    failed = prepared("a", (0, 0))
    trip(failed, 0.0, 1)
    assert failed.choose([failed.replicas[0]], 1, 1.0) is failed.replicas[0]


def test_a_session_has_a_replica_of_its_own_whatever_its_load() -> None:
    it = prepared("a", (0, 50, 3), ("A", "B"))
    homes = {f"s{n}": it.choose((), 1, 0.0, f"s{n}").name for n in range(30)}
    assert set(homes.values()) == {"r0", "r1", "r2"}
    assert all(it.choose((), 1, 0.0, whose).name == home for whose, home in homes.items())
    gone = [replica for replica in it.replicas if replica.name == "r1"]
    moved = {whose: it.choose(gone, 1, 0.0, whose).name for whose in homes}
    assert all(moved[whose] == home for whose, home in homes.items() if home != "r1")


def test_what_has_failed_is_left_alone_up_to_a_share() -> None:
    it = prepared(target(1, "a", breaker=Breaker(max_ejected_percent=50)), (0, 0, 0, 0))
    trip(it, 0.0, 0, 1)
    assert names(it, 8) == {"r2", "r3"}
    trip(it, 1.0, 2)
    assert names(it, 8, 1.0) == {"r2", "r3"}, "those that failed first stay out"
    assert it.allowed(1.0)
    trip(it, 2.0, 3)
    assert names(it, 8, 2.0) == {"r2", "r3"}
    assert not it.allowed(2.0), "others are asked before it, where there are any"


def test_of_two_one_may_be_left_alone_and_one_alone_is_asked_all_the_same() -> None:
    strict = target(1, "a", breaker=Breaker(max_ejected_percent=1))
    two, one = prepared(strict, (0, 0)), prepared(strict)
    trip(two, 0.0)
    trip(one, 0.0)
    assert names(two, 4) == {"r1"}
    assert names(one, 2) == {"r0"}


def test_a_credential_that_rests_is_passed_over() -> None:
    it = prepared("a", (0,), ("A", "B"))
    it.replicas[0].credential.refused(0.0)
    assert names(it, 3, 1.0) == {"r0B"}
    it.replicas[1].credential.refused(1.0)
    assert names(it, 2, 2.0) == {"r0A"}, "what was refused is tried before nothing is"
    assert it.wait_s(1, 2.0) == 58.0


def test_what_is_throttled_says_when_it_may_be_asked() -> None:
    it = prepared("a", (0,), ("A", "B"))
    for wait_s, replica in zip((9.0, 4.0), it.replicas, strict=True):
        replica.credential.rate.refused(wait_s, 0.0)
    with pytest.raises(Failure) as no:
        it.choose((), 1, 1.0)
    assert (no.value.kind, no.value.retry_after_s) == ("rate_limited", 3.0)
    assert it.throttled(1, 1.0)
    assert not it.throttled(1, 4.0)


def test_it_serves_what_its_provider_does_at_a_price_that_is_known() -> None:
    assert prepared("a").serves(ASK)
    assert not prepared("a").serves(Ask("embeddings", b"", {}, "small"))
    unpriced = target(1, "a", price=None)
    assert not prepared(unpriced).serves(ASK)
    assert prepared(replace(unpriced, unpriced_allowed=True)).serves(ASK)


def test_a_pace_follows_what_it_is_told() -> None:
    pace = Pace()
    pace.told(True, 1.0)
    assert (pace.streamed_s, pace.whole_s) == (1.0, None)
    pace.told(True, 9.0)
    assert pace.streamed_s == 2.0
