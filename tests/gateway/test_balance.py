"""How several targets share a route's requests."""

from collections import Counter
from collections.abc import Callable

import pytest
from tests.gateway.prepared import prepared
from tests.gateway.rig import FREE, target

from tidegate.core import clock
from tidegate.core.plan import Queueing
from tidegate.core.price import Price, Rate
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Balance
from tidegate.gateway.balance import balanced
from tidegate.gateway.places import Places
from tidegate.gateway.prepared_route import PreparedShare
from tidegate.gateway.prepared_target import PreparedTarget

Shares = list[PreparedShare]


def shares(**weights: float) -> Shares:
    return [PreparedShare(prepared(name), weight) for name, weight in weights.items()]


def receipt(**fields: object) -> Receipt:
    return Receipt("id", 1.0, "g", "chat", input_bytes=400, **fields)  # type: ignore[arg-type]


class Busy:
    """Places by target, of which so many are taken; `most` there are."""

    def __init__(self, most: int = 10, **taken: int) -> None:
        self._places = {}
        for name, count in taken.items():
            places = self._places[name] = Places(Queueing(max_in_flight=most), most)
            for _ in range(count):
                assert places.take(0, False, 0.0) is not None

    def __call__(self, target: PreparedTarget) -> Places:
        return self._places.get(target.target.name) or Places(Queueing(max_in_flight=1), 1)


def picked(
    by: Balance, of: Shares, places_of: Callable[[PreparedTarget], Places], **on: object
) -> str:
    return balanced(by, of, receipt(**on), places_of).target.name


def counted(by: Balance, of: Shares, times: int = 400, **on: object) -> Counter[str]:
    return Counter(picked(by, of, Busy(), **on) for _ in range(times))


def test_weights_are_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(number / 100 for number in range(100))
    monkeypatch.setattr(clock, "fraction", lambda: next(draws))
    assert counted("weighted", shares(a=3.0, b=1.0), 100) == {"a": 75, "b": 25}


def test_one_that_is_alone_is_it() -> None:
    for by in ("weighted", "least_in_flight", "cheapest", "fastest", "sticky"):
        assert picked(by, shares(a=1.0), Busy()) == "a"  # type: ignore[arg-type]


def test_the_least_in_flight_by_weight() -> None:
    busy = Busy(a=3, b=5)
    assert picked("least_in_flight", shares(a=1.0, b=1.0), busy) == "a"
    assert picked("least_in_flight", shares(a=1.0, b=2.0), busy) == "b"


def test_the_cheapest_for_a_request_like_this() -> None:
    def priced(name: str, price: Price | None) -> PreparedShare:
        return PreparedShare(prepared(target(1, name, price=price)), 1.0)

    million = 10**9
    dear_in = Price("p", "plan", input=Rate(9 * million), output=Rate(million))
    dear_out = Price("p", "plan", input=Rate(million), output=Rate(9 * million))
    of = [priced("unknown", None), priced("in", dear_in), priced("out", dear_out)]
    assert picked("cheapest", of, Busy(), output_ceiling_tokens=1000) == "in"
    assert picked("cheapest", of, Busy(), output_ceiling_tokens=1) == "out"
    assert picked("cheapest", [*of, priced("free", FREE)], Busy()) == "free"


def test_the_fastest_once_all_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    of = shares(a=1.0, b=1.0)
    of[0].target.pace.told(True, 0.2)
    assert picked("fastest", of, Busy(), stream=True) == "b", "nobody knows of it yet"
    monkeypatch.setattr(clock, "fraction", lambda: 0.5)
    assert picked("fastest", of, Busy(b=1), stream=True) == "a", "one request finds out"
    of[1].target.pace.told(True, 0.1)
    monkeypatch.setattr(clock, "fraction", lambda: 0.5)
    assert picked("fastest", of, Busy(), stream=True) == "b"
    monkeypatch.setattr(clock, "fraction", lambda: 0.0)
    assert picked("fastest", of, Busy(), stream=True) == "a", "one in twenty goes by weight"


def test_a_session_stays_and_only_what_it_must_moves() -> None:
    three = shares(a=1.0, b=1.0, c=1.0)

    def homes(of: Shares) -> list[str]:
        return [picked("sticky", of, Busy(), session_id=f"s{n}") for n in range(300)]

    before = homes(three)
    assert homes(shares(a=1.0, b=1.0, c=1.0)) == before, "in another process as well"
    assert all(70 < count < 130 for count in Counter(before).values())
    after = homes(shares(a=1.0, b=1.0))
    assert all(now == then for now, then in zip(after, before, strict=True) if then != "c")
    twice = Counter(homes(shares(a=2.0, b=1.0, c=1.0)))
    assert 120 < twice["a"] < 180


def test_what_is_paid_for_anyway_goes_first_while_it_has_room() -> None:
    paid = PreparedShare(prepared(target(1, "paid", provisioned=True)), 1.0)
    of = [*shares(a=100.0), paid]
    assert picked("weighted", of, Busy(most=2, paid=1)) == "paid"
    assert picked("weighted", of, Busy(most=2, paid=2)) == "a"
    assert picked("weighted", [paid, paid], Busy(most=2, paid=2)) == "paid"
