"""Every kind of limit: never over, nothing left behind, and a no that says what to do.

A kind is added to EXAMPLES with a limit as a plan would hold it.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.limits.asks import demand, receipt

from tidegate.core import plugs
from tidegate.core.limit import Demand, Gauge, LimitKind, Moment, Reading
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.stores.memory_counters import memory_counters

EXAMPLES = {
    "concurrency": [Limit("l", "concurrency", 8)],
    "max_input_tokens": [Limit("l", "max_input_tokens", 120)],
    "max_output_tokens": [
        Limit("l", "max_output_tokens", 40),
        Limit("l", "max_output_tokens", 40, on_excess="cap"),
    ],
    "repeats": [Limit("l", "repeats", 3, ("prompt", "session"), per_s=600.0)],
    "requests": [
        Limit("l", "requests", 5, ("key",), per_s=1.0),
        Limit("l", "requests", 60, ("key",), per_s=60.0, burst=10),
        Limit("l", "requests", 100, ("key",), per_s=86_400.0),
    ],
    "session": [
        Limit("l", "session", 5000, ("session",)),
        Limit("l", "session", 5000, ("session",), on_excess="alert"),
    ],
    "spend": [
        Limit("l", "spend", 5_000_000, ("team",), unit="month", time_zone="Europe/Berlin"),
        Limit("l", "spend", 5_000_000, ("team",), per_s=86_400.0),
        Limit("l", "spend", 5_000_000, ("team",), unit="day", on_excess="alert"),
    ],
    "tokens": [
        Limit("l", "tokens", 6000, ("team",), per_s=60.0),
        Limit("l", "tokens", 6000, per_s=86_400.0, count="input", cached_weight=0.25),
        Limit("l", "tokens", 6000, ("route",), per_s=60.0, count="output"),
    ],
    "tool_depth": [Limit("l", "tool_depth", 2)],
    "turns": [Limit("l", "turns", 4, ("trace",))],
}
LIMITS = [limit for limits in EXAMPLES.values() for limit in limits]
COUNTED = [limit for limit in LIMITS if plugs.load("limits", limit.kind).shape(limit) is not None]
JUDGES = [limit for limit in LIMITS if limit not in COUNTED]
START = Moment(1000.0, 1_790_000_000.0)

Asked = tuple[int, int, int]  # input tokens, output tokens of a choice, choices
ASKED = st.tuples(st.integers(0, 3000), st.integers(0, 2000), st.integers(1, 3))
# By what part of its bounds a request came to its end; None is a usage nobody told.
SHARES = st.none() | st.sampled_from([0.0, 0.3, 1.0])
STEPS = st.lists(st.tuples(ASKED, SHARES, st.sampled_from([0.0, 0.1, 5.0, 70.0])), max_size=60)


def limit_id(limit: Limit) -> str:
    return "-".join([limit.kind, limit.count, limit.on_excess, str(limit.unit or limit.per_s)])


def kind_of(limit: Limit) -> LimitKind:
    kind: LimitKind = plugs.load("limits", limit.kind)
    return kind


def demanded(asked: Asked) -> Demand:
    read, written, choices = asked
    return demand(
        input_tokens=read, output_tokens=written, choices=choices, cost_nanousd=cost(read, written)
    )


def cost(read: int, written: int) -> int:
    return read * 300 + written * 1200


def settled(asked: Asked, share: float | None) -> Receipt:
    """A receipt within what was asked for, its input partly read from a cache."""
    if share is None:
        return receipt()
    read, written, choices = asked
    used, made = int(read * share), int(written * choices * share)
    return receipt(
        input_tokens=used - used // 2,
        cache_read_tokens=used // 2,
        output_tokens=made - made // 3,
        reasoning_tokens=made // 3,
        cost_nanousd=int(cost(read, written) * share),
    )


def test_every_kind_in_the_room_is_proven_here() -> None:
    assert plugs.names("limits") == sorted(EXAMPLES)


@pytest.mark.parametrize("limit", LIMITS, ids=limit_id)
def test_a_limit_as_it_should_be_is_not_complained_of(limit: Limit) -> None:
    assert kind_of(limit).complaint(limit) is None
    assert kind_of(limit).fields <= set(Limit.__struct_fields__)


@pytest.mark.parametrize("limit", LIMITS, ids=limit_id)
def test_a_limit_that_allows_nothing_is_complained_of(limit: Limit) -> None:
    assert "at least 1" in (kind_of(limit).complaint(replace(limit, amount=0)) or "")


@pytest.mark.parametrize("limit", COUNTED, ids=limit_id)
@given(steps=STEPS)
def test_requests_in_any_order_are_never_over_and_leave_nothing(
    limit: Limit, steps: list[tuple[Asked, float | None, float]]
) -> None:
    kind = kind_of(limit)
    shape = kind.shape(limit)
    assert shape is not None
    counters = memory_counters(shape)
    amount, used = kind.amount(limit), kind.used(limit)
    now = START
    served: list[tuple[Asked, float | None, int]] = []

    def settle(place: int) -> None:
        asked, share, ticket = served.pop(place)
        held, came_to = amount(demanded(asked)), used(settled(asked, share))
        counters.give_back("s", ticket, held, held if came_to is None else came_to, now)

    for asked, share, wait_s in steps:
        now = Moment(now.monotonic_s + wait_s, now.wall_s + wait_s)
        ticket = counters.take("s", amount(demanded(asked)), now)
        if ticket is not None:
            served.append((asked, share, ticket))
        reading = counters.read("s", 1, now)
        assert reading.used <= reading.allowed or limit.on_excess == "alert"
        if len(served) > 3:
            settle(len(served) // 2)
    while served:
        settle(0)
    reset_s = counters.read("s", 1, now).reset_s
    assert reset_s is not None, "all was given back"
    assert reset_s == 0.0 or not isinstance(shape, Gauge)
    after = Moment(now.monotonic_s + reset_s, now.wall_s + reset_s)
    assert counters.read("s", 1, after).used == 0


@pytest.mark.parametrize("limit", COUNTED, ids=limit_id)
@given(asked=ASKED, share=SHARES)
def test_what_is_held_is_enough(limit: Limit, asked: Asked, share: float | None) -> None:
    if limit.on_excess == "alert":
        assert kind_of(limit).amount(limit)(demanded(asked)) == 0
        return
    came_to = kind_of(limit).used(limit)(settled(asked, share))
    if came_to is not None:
        assert 0 <= came_to <= kind_of(limit).amount(limit)(demanded(asked))


@pytest.mark.parametrize("limit", COUNTED, ids=limit_id)
def test_a_no_says_which_limit_for_whom_and_how_it_stands(limit: Limit) -> None:
    no = kind_of(limit).refusal(limit, "team growth", Reading(7, 8, 90.0, 65.0))
    assert '"l"' in no.message
    assert "team growth" in no.message
    assert no.code.fault == "policy"
    assert no.code.status == 429
    assert no.excess is not None
    assert (no.excess.limit, no.excess.scope) == ("l", "team growth")
    assert (no.excess.used, no.excess.allowed) == (7, 8)
    if limit.kind == "spend":
        assert no.code.name == "insufficient_quota"
        assert no.retry_after_s == 65.0
        assert "$0.000000007 of $0.000000008" in no.message
        assert "try again in 65 seconds" in no.message
    else:
        assert "7" in no.message
        assert "8" in no.message
        assert "again" in no.message
        assert no.retry_after_s is not None
        assert no.retry_after_s > 0


@pytest.mark.parametrize("limit", COUNTED, ids=limit_id)
def test_what_can_never_fit_is_not_asked_to_come_again(limit: Limit) -> None:
    no = kind_of(limit).refusal(limit, "team growth", Reading(0, 8, 0.0, None))
    if limit.kind == "concurrency":  # one place is asked for, so it always can
        assert no.retry_after_s is not None
        return
    assert no.code.name == ("insufficient_quota" if limit.kind == "spend" else "larger_than_limit")
    assert no.retry_after_s is None
    assert not no.code.retry


@pytest.mark.parametrize("limit", JUDGES, ids=limit_id)
def test_a_judge_holds_nothing_and_has_no_counter_to_scope(limit: Limit) -> None:
    kind = kind_of(limit)
    assert kind.amount(limit)(demanded((10, 10, 1))) == 0
    assert kind.used(limit)(receipt()) == 0
    assert "`only:`" in (kind.complaint(replace(limit, scope=("key",))) or "")


@pytest.mark.parametrize("limit", JUDGES, ids=limit_id)
def test_a_judge_lets_pass_what_is_within_and_names_what_is_not(limit: Limit) -> None:
    kind = kind_of(limit)
    kind.check(limit, demand(output_ceiling_tokens=1, output_tokens=1))
    calls: dict[str, Any] = {"role": "assistant", "tool_calls": [{"id": "1"}]}
    beyond = demand(
        {"messages": [{"role": "user"}, calls, calls, calls]},
        input_tokens=121,
        output_tokens=41,
        output_ceiling_tokens=41,
    )
    if limit.on_excess == "cap":
        kind.check(limit, beyond)
        assert beyond.output_tokens == 40
        return
    with pytest.raises(Refusal) as caught:
        kind.check(limit, beyond)
    no = caught.value
    assert no.excess is not None
    assert no.excess.used == no.excess.allowed + 1 == limit.amount + 1
    assert '"l"' in no.message
    assert f"{limit.amount} are allowed" in no.message
    assert "waiting does not help" in no.message
    assert not no.code.retry
