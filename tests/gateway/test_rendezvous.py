"""Everybody has a home, which moves only with what moves it."""

from collections import Counter

from tidegate.gateway.rendezvous import rank


def homes(**weights: float) -> list[str]:
    return [max(weights, key=lambda it: rank(f"s{n}", it, weights[it])) for n in range(600)]


def test_shares_are_by_weight() -> None:
    assert all(150 < count < 250 for count in Counter(homes(a=1, b=1, c=1)).values())
    assert 250 < Counter(homes(a=2, b=1, c=1))["a"] < 350


def test_only_those_move_whose_home_is_gone_or_grows() -> None:
    before, after = homes(a=1, b=1, c=1), homes(a=1, b=1)
    assert all(now == then for now, then in zip(after, before, strict=True) if then != "c")
    grown = homes(a=3, b=1, c=1)
    assert all(now in {then, "a"} for now, then in zip(grown, before, strict=True))


def test_it_is_the_same_everywhere() -> None:
    assert rank("session", "target") == rank("session", "target")
    assert round(rank("session", "target"), 6) == 1.955474
