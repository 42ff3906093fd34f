"""What is asked after which failure."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.prepared import ASK, prepared, route_of, trip
from tests.gateway.rig import target
from tests.gateway.routed import routed

from tidegate.core import clock
from tidegate.core.outcome import Failure, FailureKind, Refusal
from tidegate.core.plan import Route
from tidegate.core.resilience import Retry
from tidegate.gateway.chain import Chain, failure_class, pause
from tidegate.gateway.prepared_route import PreparedRoute


@pytest.fixture(autouse=True)
def half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause is half of its bound."""
    monkeypatch.setattr(clock, "fraction", lambda: 0.5)


DOWN = Failure("unavailable", "upstream_error", "down")
A, B, C, D = (target(1, name) for name in "abcd")


def route(*pool: object, **fields: object) -> Route:
    return routed(*pool, **fields)["small"]  # type: ignore[arg-type]


def throttled(retry_after_s: float | None = None) -> Failure:
    return Failure("rate_limited", "upstream_rate_limited", "slow", retry_after_s=retry_after_s)


def way(ready: PreparedRoute, no: Failure | Refusal, until_s: float | None = None) -> list[str]:
    """The targets that are asked, when each says the same no; `+` after a pause."""
    chain = Chain(ASK, ready, until_s)
    it, names = ready.target, [ready.target.target.name]
    for _ in range(20):
        replica = None if isinstance(no, Refusal) else it.choose(chain.replicas, 1, 0.0)
        following = chain.after(no, it, replica, 0.0)
        if following is None:
            return names
        it, pause_s = following
        names.append(it.target.name + "+" * (pause_s > 0))
    raise AssertionError("it goes round")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("unavailable", ["a", "b", "b+", "c", "c+"]),
        ("timeout", ["a", "b", "c"]),
        ("interrupted", ["a", "b", "c"]),
        ("malformed", ["a", "b"]),
        ("overflow", ["a", "d"]),
        ("refused_by_safety", ["a"]),
        ("rejected", ["a"]),
    ],
)
def test_the_pool_then_the_same_again_then_the_fallbacks(
    kind: FailureKind, expected: list[str]
) -> None:
    ready = route_of(route(A, B, unavailable=(C,), overflow=(D,)))
    assert way(ready, Failure(kind, "upstream_error", "no")) == expected


def test_a_target_that_was_left_is_not_asked_again() -> None:
    ready = route_of(route(A, B, unavailable=(C, D), retry=Retry(attempts=1)))
    assert way(ready, DOWN) == ["a", "b", "c", "d"]


def test_another_replica_is_asked_at_once_and_the_same_after_a_pause() -> None:
    ready = route_of(route(A, retry=Retry(attempts=3)), prepared(A, (0, 0)))
    assert way(ready, DOWN) == ["a", "a", "a+"]


def test_work_that_may_have_been_done_is_not_asked_of_the_same_replica() -> None:
    late = Failure("timeout", "upstream_timeout", "late")
    assert way(route_of(route(A)), late) == ["a"]
    assert way(route_of(route(A), prepared(A, (0, 0))), late) == ["a", "a"]


def test_another_credential_is_asked_at_once_where_one_was_refused() -> None:
    auth = Failure("unavailable", "upstream_auth", "no")
    two = prepared(A, (0, 0), ("A", "B"))
    ready = route_of(route(A, retry=Retry(attempts=9)), two)
    assert way(ready, auth) == ["a", "a"]
    assert way(route_of(route(A)), auth) == ["a"]


def test_a_replica_that_failed_is_not_asked_with_another_credential_first() -> None:
    two = prepared(A, (0, 9), ("A", "B"))
    ready = route_of(route(A), two)
    chain = Chain(ASK, ready, None)
    first = two.choose((), 1, 0.0)
    assert first.name == "r0"
    assert chain.after(DOWN, two, first, 0.0) == (two, 0.0)
    assert two.choose(chain.replicas, 1, 0.0).name == "r1"


def test_a_pause_is_what_the_target_asks_for_and_a_little_more() -> None:
    ready = route_of(route(A, retry=Retry(base_s=1.0)))
    chain = Chain(ASK, ready, None)
    following = chain.after(throttled(3.0), ready.target, ready.target.replicas[0], 0.0)
    assert following == (ready.target, 3.5)


def test_a_timer_that_is_early_does_not_meet_a_target_that_is_still_closed() -> None:
    ready = route_of(route(A, retry=Retry(base_s=0.0001)))
    following = Chain(ASK, ready, None).after(
        throttled(3.0), ready.target, ready.target.replicas[0], 0.0
    )
    assert following is not None and following[1] == pytest.approx(3.01)


def test_who_asks_to_be_left_alone_for_long_is() -> None:
    assert way(route_of(route(A)), throttled(10.1)) == ["a"]
    assert way(route_of(route(A)), throttled(9.9)) == ["a", "a+"]


def test_one_that_is_throttled_is_not_waited_for_where_another_may_serve() -> None:
    assert way(route_of(route(A, rate_limited=(C,))), throttled(1.0)) == ["a", "c", "c+"]


def test_nothing_begins_when_the_caller_waits_no_longer() -> None:
    ready = route_of(route(A, unavailable=(C,), retry=Retry(base_s=8.0, cap_s=8.0)))
    assert way(ready, DOWN, until_s=0.0) == ["a"]
    assert way(ready, DOWN, until_s=3.0) == ["a", "c"], "the pause would take longer"


def test_our_own_no_about_a_target_is_answered_by_another() -> None:
    full = Refusal("overloaded", "the line is full")
    assert way(route_of(route(A, B, rate_limited=(C,))), full) == ["a", "b", "c"]
    narrow, wide = replace(A, context_tokens=8), replace(B, context_tokens=9)
    long = Refusal("context_length_exceeded", "too long")
    assert way(route_of(route(narrow, wide, overflow=(C,))), long) == ["a", "b", "c"]
    assert way(route_of(route(wide, narrow, overflow=(C,))), long) == ["b", "c"]


def test_what_is_no_target_s_fault_is_the_last_word() -> None:
    for code in ("draining", "internal", "client_closed", "limits_unavailable"):
        assert failure_class(Refusal(code, "no")) is None


def test_those_left_alone_and_those_without_a_credential_are_passed_over() -> None:
    b, c = prepared(B), prepared(C)
    trip(b, 0.0)
    c.missing = "${C}"
    assert way(route_of(route(A, B, C, unavailable=(D,), retry=Retry(attempts=1)), b, c), DOWN) == [
        "a",
        "d",
    ]


@given(st.integers(1, 60), st.floats(0.0, 1.0, exclude_max=True))
def test_pauses_double_up_to_a_bound_and_are_jittered_in_full(times: int, drawn: float) -> None:
    retry = Retry(base_s=0.25, cap_s=8.0)
    bound_s = min(8.0, 0.25 * 2 ** (times - 1))
    assert pause(retry, times, drawn) == pytest.approx(drawn * bound_s)
    assert pause(retry, times, 0.0) == 0.0
    assert math.isfinite(pause(retry, times, drawn))


def after_each(ready: PreparedRoute, *nos: Failure | Refusal) -> tuple[list[str], Chain]:
    """Who is asked, when they say this in turn, and the chain; what is refused was not sent."""
    chain = Chain(ASK, ready, None)
    it, names = ready.target, [ready.target.target.name]
    for no in nos:
        replica = None if isinstance(no, Refusal) else it.choose(chain.replicas, 1, 0.0)
        following = chain.after(no, it, replica, 0.0)
        if following is None:
            break
        it = following[0]
        names.append(it.target.name)
    return names, chain


REJECTED = Failure("rejected", "rejected_by_provider", "no")
UNSAFE = Failure("refused_by_safety", "rejected_by_provider", "no")
NARROW = Refusal("context_length_exceeded", "too long")
UNABLE = Refusal("unsupported_parameter", "it has no `n`", param="n")
SPENT = Refusal("insufficient_quota", "spent")


@pytest.mark.parametrize(
    "no", [NARROW, UNABLE, SPENT, throttled(), Failure("malformed", "upstream_malformed", "")]
)
def test_a_fallback_that_cannot_serve_is_passed_over(no: Failure | Refusal) -> None:
    ready = route_of(route(A, unavailable=(B, C), retry=Retry(attempts=1)))
    assert after_each(ready, DOWN, no, DOWN)[0] == ["a", "b", "c"]


def test_a_class_of_failure_with_fallbacks_of_its_own_has_them_first() -> None:
    ready = route_of(route(A, unavailable=(B, C), overflow=(D,), retry=Retry(attempts=1)))
    assert after_each(ready, DOWN, NARROW, DOWN)[0] == ["a", "b", "d", "c"]


@pytest.mark.parametrize("no", [REJECTED, UNSAFE])
def test_a_no_for_the_request_s_own_sake_is_not_taken_elsewhere(no: Failure) -> None:
    ready = route_of(route(A, unavailable=(B, C), retry=Retry(attempts=1)))
    names, chain = after_each(ready, DOWN, no)
    assert names == ["a", "b"]
    assert chain.blamed(no) is no


@pytest.mark.parametrize("no", [NARROW, UNABLE, SPENT])
def test_what_only_a_fallback_cannot_do_is_not_the_caller_s_mistake(no: Refusal) -> None:
    ready = route_of(route(A, unavailable=(B,), retry=Retry(attempts=1)))
    _, chain = after_each(ready, DOWN, no)
    assert chain.blamed(no) is DOWN
    alone = route_of(route(A, unavailable=(B,)))
    names, chain = after_each(alone, UNABLE)
    assert (names, chain.blamed(UNABLE)) == (["a"], UNABLE)


def test_of_several_that_have_no_room_the_last_says_how_much_there_is() -> None:
    narrow, wide = replace(A, context_tokens=8), replace(B, context_tokens=9)
    last = Refusal("context_length_exceeded", "9 tokens")
    names, chain = after_each(route_of(route(narrow, overflow=(wide,))), NARROW, last)
    assert (names, chain.blamed(last)) == (["a", "b"], last)


@pytest.mark.parametrize("code", ["input_too_long", "output_too_long", "turn_limit_exceeded"])
def test_every_kind_of_limit_by_target_is_answered_by_another(code: str) -> None:
    ready = route_of(route(A, rate_limited=(B,)))
    assert after_each(ready, Refusal(code, "too much"))[0] == ["a", "b"]


def test_what_one_of_several_cannot_do_another_of_them_is_asked_for() -> None:
    both = route_of(route(A, B, unavailable=(C,), retry=Retry(attempts=1)))
    assert after_each(both, UNABLE, DOWN)[0] == ["a", "b", "c"]
    names, chain = after_each(both, UNABLE, UNABLE)
    assert names == ["a", "b"], "that none of them can do it is no failure of theirs"
    assert chain.blamed(UNABLE) is UNABLE
    names, chain = after_each(both, UNABLE, DOWN, UNABLE)
    assert (names, chain.blamed(UNABLE)) == (["a", "b", "c"], DOWN)
