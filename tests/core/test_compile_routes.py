"""What a route's targets, shares and fallbacks compile to. What is wrong with them is told of the
broken plans in `tests/bad`."""

from decimal import Decimal

from tests.core.plans import compiled, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRetry, DeclaredRoute
from tidegate.core.declared_targets import DeclaredBreaker, DeclaredTarget
from tidegate.core.plan import Route
from tidegate.core.resilience import MAX_FALLBACKS, Breaker
from tidegate.core.secret import SecretRef

NAMES = ("a", "b", "c", "d", "e", "f", "g")
TARGETS = {name: DeclaredTarget("engine", f"model-{name}", price="free") for name in NAMES}


def route_of(route: DeclaredRoute, **targets: DeclaredTarget) -> Route:
    return compiled(declared(targets=TARGETS | targets, routes={"chat": route})).routes["chat"]


def names(route: Route) -> list[str]:
    return [target.name for target in route.targets]


def test_several_targets_share_a_release_by_their_weights() -> None:
    route = route_of(DeclaredRoute(targets={"b": 3.0, "a": 1.0, "engine/x": 2.0}))
    shares = [(share.target.name, share.weight) for share in route.release.shares]
    assert shares == [("b", 3.0), ("a", 1.0), ("engine/x", 2.0)]


def test_a_release_has_another_name_when_its_shares_are_others() -> None:
    def name(**changes: object) -> str:
        fields = {"targets": {"a": 1.0, "b": 1.0}, **changes}
        return route_of(DeclaredRoute(**fields)).release.name  # type: ignore[arg-type]

    assert name() == name()
    assert len({name(), name(targets={"a": 2.0, "b": 1.0}), name(balance="sticky")}) == 3


def test_one_target_alone_is_the_same_release_however_it_is_written() -> None:
    assert route_of(DeclaredRoute("a")).release == route_of(DeclaredRoute(targets={"a": 1})).release


def test_fallbacks_follow_in_their_order_and_each_target_is_named_once() -> None:
    fallbacks = DeclaredFallbacks(unavailable=("c", "b"), overflow=("b", "engine/x"))
    route = route_of(DeclaredRoute("a", fallbacks=fallbacks))
    assert names(route) == ["a", "c", "b", "engine/x"]
    assert [(name, [t.name for t in targets]) for name, targets in route.fallbacks] == [
        ("unavailable", ["c", "b"]),
        ("overflow", ["b", "engine/x"]),
    ]


def test_a_chain_is_no_longer_than_it_may_be() -> None:
    chain = NAMES[1 : MAX_FALLBACKS + 1]
    route = route_of(DeclaredRoute("a", fallbacks=DeclaredFallbacks(unavailable=chain)))
    assert len(route.targets) == MAX_FALLBACKS + 1
    longer = DeclaredFallbacks(unavailable=NAMES[1:])
    try:
        route_of(DeclaredRoute("a", fallbacks=longer))
    except PlanRefused as refused:
        assert "falls back 5 times at most; these are 6" in str(refused)
    else:
        raise AssertionError("six fallbacks are one too many")


def test_a_fallback_of_an_overflow_has_more_room_where_that_is_known() -> None:
    wide = DeclaredTarget("engine", "w", price="free", context_tokens=9000)
    small = DeclaredTarget("engine", "s", price="free", context_tokens=8000)
    overflow = DeclaredFallbacks(overflow=("wide", "a"))
    route = route_of(DeclaredRoute("small", fallbacks=overflow), wide=wide, small=small)
    assert names(route) == ["small", "wide", "a"]


def test_money_and_settings_are_carried_over() -> None:
    retry = DeclaredRetry(attempts=3, wasted_usd_per_hour=Decimal("0.25"))
    target = DeclaredTarget(
        "engine",
        "m",
        price="free",
        api_keys=(SecretRef(env="A"), SecretRef(env="B")),
        breaker=DeclaredBreaker(failures=2, when_all_open="refuse"),
        provisioned=True,
    )
    route = route_of(DeclaredRoute("own", retry=retry), own=target)
    assert (route.retry.attempts, route.retry.wasted_nanousd_per_hour) == (3, 250_000_000)
    own = route.release.target
    assert own.credentials == (SecretRef(env="A"), SecretRef(env="B"))
    assert (own.breaker, own.provisioned) == (Breaker(failures=2, when_all_open="refuse"), True)
