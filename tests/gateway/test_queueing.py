"""The order of a line, what it gives up, and how fast it moves."""

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.gateway.queueing import Drain, Line, Tenant, Waiter, weights

A, B, C = ("a", None), ("b", None), ("c", "x")


def line(most: int = 1000, **written: float) -> Line:
    return Line(most, weights(written))


def waiter(rank: int = 1, tenant: Tenant = A, work: float = 1.0) -> Waiter:
    turn: asyncio.Future[float] = asyncio.Future(loop=LOOP)
    return Waiter(rank, tenant, work, 0.0, False, turn)


LOOP = asyncio.SelectorEventLoop()
LOOP.close()  # futures want one to belong to; it never runs


def push(to: Line, *waiters: Waiter) -> tuple[Waiter, ...]:
    for one in waiters:
        to.push(one)
    return waiters


def drained(it: Line) -> list[Waiter]:
    return [it.pop() for _ in range(it.count)]


def test_higher_classes_go_first_and_each_tenant_in_its_order() -> None:
    it = line()
    batch, first, second, interactive = push(it, waiter(2), waiter(1), waiter(1), waiter(0))
    assert it.counts == (1, 2, 1)
    assert drained(it) == [interactive, first, second, batch]
    assert it.counts == (0, 0, 0)


def test_a_tenant_that_asks_little_is_not_behind_one_that_asks_much() -> None:
    it = line()
    push(it, *(waiter(tenant=A) for _ in range(100)))
    it.pop()
    (quiet,) = push(it, waiter(tenant=B))
    assert quiet in [it.pop(), it.pop()]


def test_shares_follow_weights_and_work() -> None:
    it = line(a=3.0)
    for _ in range(400):
        push(it, waiter(tenant=A), waiter(tenant=B), waiter(tenant=C, work=2.0))
    served = Counter(it.pop().tenant for _ in range(450))
    assert served[A] == pytest.approx(300, abs=3)
    assert served[B] == pytest.approx(100, abs=3)
    assert served[C] == pytest.approx(50, abs=3)


def test_a_customer_is_a_tenant_of_its_own_and_may_have_a_weight_of_its_own() -> None:
    weight_of = weights({"c": 2.0, "c/x": 5.0})
    assert [weight_of(t) for t in (C, ("c", "y"), ("c", None), A, (None, None))] == [
        *(5.0, 2.0, 2.0, 1.0, 1.0)
    ]


def test_room_is_made_by_the_newest_of_the_lowest_class() -> None:
    it = line()
    push(it, waiter(2), *(waiter(1) for _ in range(3)))
    (newest,) = push(it, waiter(2))
    assert it.give_up(1, A) is newest
    assert it.give_up(2, A) is None, "its own tenant has the most of that class"
    assert it.count == 4
    assert it.give_up(0, A) is not None
    assert it.counts == (0, 3, 0)
    assert it.give_up(2, B) is None, "nobody is lower"


def test_within_a_class_the_tenant_with_most_in_line_makes_room() -> None:
    it = line()
    push(it, waiter(tenant=B))
    *_, newest = push(it, *(waiter(tenant=A) for _ in range(5)))
    assert it.give_up(1, B) is newest
    assert it.give_up(1, A) is None


def test_what_is_given_up_is_not_held_against_its_tenant() -> None:
    it = line()
    push(it, waiter(tenant=A), waiter(tenant=B))
    for _ in range(50):
        push(it, waiter(tenant=A))
        it.give_up(0, B)
    (again,) = push(it, waiter(tenant=A))
    assert again in drained(it)[:3]


def test_who_has_left_is_not_served_and_leaves_twice_without_harm() -> None:
    it = line()
    first, second, third = push(it, waiter(), waiter(), waiter())
    it.remove(second)
    it.remove(second)
    assert it.count == 2
    assert drained(it) == [first, third]
    it.remove(first)
    assert it.count == 0


@given(st.integers(0, 10_000))
def test_the_place_in_line_is_where_one_comes_to_stand(seed: int) -> None:
    chance = random.Random(seed)
    it = line(a=2.0)
    for _ in range(chance.randint(0, 60)):
        tenant = chance.choice([A, A, A, B, C])
        push(it, waiter(chance.randrange(3), tenant, chance.choice([1.0, 2.0, 5.0])))
        if it.count and chance.random() < 0.3:
            it.pop()
    rank, tenant = chance.randrange(3), chance.choice([A, B, C, ("new", None)])
    ahead = it.ahead(rank, tenant)
    (mine,) = push(it, waiter(rank, tenant))
    assert drained(it).index(mine) == ahead


def test_who_leaves_without_a_turn_has_cost_its_tenant_nothing() -> None:
    """A tenant whose clients have no patience has the share of the others."""
    it = line()
    push(it, waiter(tenant=A), *(waiter(tenant=B) for _ in range(20)))
    for _ in range(500):
        (gone,) = push(it, waiter(tenant=A))
        it.remove(gone)
    push(it, *(waiter(tenant=A) for _ in range(20)))
    assert Counter(it.pop().tenant for _ in range(20)) == {A: 10, B: 10}


def test_who_has_asked_nothing_for_a_while_has_saved_nothing_up() -> None:
    it = line()
    push(it, waiter(tenant=A), *(waiter(tenant=B) for _ in range(60)))
    for _ in range(40):
        it.pop()
    push(it, *(waiter(tenant=A) for _ in range(20)))
    assert Counter(it.pop().tenant for _ in range(20))[A] == pytest.approx(10, abs=1)


def test_memory_stays_in_proportion_to_who_waits() -> None:
    it = line()
    (first,) = push(it, waiter())
    for number in range(20_000):
        other, mine = push(it, waiter(tenant=(str(number), None)), waiter())
        it.remove(other)
        it.remove(mine)
    one_class = it._classes[1]
    assert len(one_class._heap) < 100
    assert len(one_class._shares) < 100
    assert len(one_class._shares[A].waiters) < 100
    assert drained(it) == [first]
    assert not one_class._shares


def test_the_first_guess_of_the_drain_is_the_limit_over_the_time_a_place_is_held() -> None:
    drain = Drain()
    assert drain.wait_s(5, 0.0) is None, "nothing is known"
    for _ in range(50):
        drain.held(2.0)
    drain.begin(10, 100.0)
    assert drain.wait_s(4, 100.0) == pytest.approx(1.0)


def test_after_that_it_is_what_is_seen() -> None:
    drain = Drain()
    for _ in range(50):
        drain.held(2.0)
    drain.begin(10, 0.0)  # a guess of 5 a second; in truth it is one
    for second in range(1, 61):
        drain.held(10.0)
        drain.ended(float(second))
    assert drain.wait_s(9, 60.0) == pytest.approx(10.0, rel=0.2)
    assert (drain.wait_s(9, 90.0) or 0) > 100, "nothing has come free for half a minute"


def test_without_a_guess_a_few_ends_must_be_seen() -> None:
    drain = Drain()
    drain.begin(10, 0.0)
    for second in (1.0, 2.0, 3.0, 4.0):
        drain.ended(second)
        assert drain.wait_s(0, second) is None
    drain.ended(5.0)
    assert drain.wait_s(0, 5.0) == pytest.approx(1.0)
