"""A route, ready: who shares it, and what is held for the dearest of them."""

from tests.gateway.prepared import ASK, route_of
from tests.gateway.rig import FREE, target
from tests.gateway.routed import routed

from tidegate.core.price import Price, Rate

DEAR = Price("p", "plan", input=Rate(9_000_000_000), output=Rate(1_000_000_000))
OF_OUTPUT = Price("p", "plan", input=Rate(1_000_000_000), output=Rate(9_000_000_000))


def test_each_target_is_there_once_and_knows_its_headers() -> None:
    a, b, c = (target(1, name) for name in "abc")
    [route] = routed(a, b, unavailable=(c,), overflow=(c,)).values()
    ready = route_of(route)
    assert [it.target.name for it in ready.targets()] == ["a", "b", "c"]
    assert not ready.alone
    assert b"x-tidegate-target: c\r\n" in ready.heads["c"]
    assert ready.fallbacks["unavailable"][0] is ready.fallbacks["overflow"][0]


def test_one_target_alone_is_reckoned_by_its_own_price() -> None:
    [route] = routed(target(1, "a")).values()
    ready = route_of(route)
    assert ready.alone
    assert ready.bound is ready.target


def test_the_dearest_is_held_of_whatever_may_serve() -> None:
    [route] = routed(
        target(1, "a", price=FREE),
        target(1, "b", price=DEAR, image_tokens=7, tokenizer="o200k"),
        unavailable=(target(1, "c", price=OF_OUTPUT, file_tokens=9_000_000),),
    ).values()
    bound = route_of(route).bound
    assert bound.ceiling is not None
    assert bound.ceiling.nanousd(1000, 1) == 9_001_000
    assert bound.ceiling.nanousd(1, 1000) == 9_001_000
    assert bound.prices == (FREE, DEAR, OF_OUTPUT), "what a caller chooses may be dear at one"
    assert bound.target.tokenizer is None, "they count differently"
    assert bound.target.file_tokens == 9_000_000


def test_nobody_knows_the_most_where_one_has_no_price() -> None:
    unpriced = target(1, "b", price=None, unpriced_allowed=True)
    [route] = routed(target(1, "a"), unavailable=(unpriced,)).values()
    assert route_of(route).bound.ceiling is None


def test_who_serves_is_who_can() -> None:
    [route] = routed(target(1, "a", price=None), target(1, "b")).values()
    assert [share.target.target.name for share in route_of(route).serving(ASK)] == ["b"]
