import msgspec
from msgspec.structs import replace
from tests.core.plans import compiled, declared

from tidegate.config.diff import differences
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_gateway import DeclaredGateway
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.declared_providers import DeclaredDeadlines
from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import Candidate
from tidegate.core.plan_callers import FromClaim, Grant, Issuer, IssuerKeys, Match
from tidegate.core.secret import SecretRef


def plan(**changes):
    return compiled(declared(**changes))


def lines(before, after):
    return [str(d) for d in differences(before, after)]


def test_the_same_file_read_twice_does_not_differ():
    assert differences(compiled(declared(), version=1), compiled(declared(), version=2)) == []


def test_routes_that_come_and_go_are_one_line_each():
    after = plan(routes={"talk": DeclaredRoute("llama")})
    assert lines(plan(), after) == [
        "- routes.chat: engine/llama-3, free",
        "+ routes.talk: engine/llama-3, free",
    ]


def test_a_change_names_its_way_and_both_values():
    target = DeclaredTarget(
        "engine",
        "llama-4",
        price=None,
        replicas={"a": "http://a/v1"},
        deadlines=DeclaredDeadlines(gap_s=5.0),
    )
    found = {d.path: d for d in differences(plan(), plan(targets={"llama": target}))}
    assert found.pop("routes.chat.name").before != found.get("routes.chat.name")
    assert sorted(str(d) for d in found.values()) == [
        "+ routes.chat.target.price: none",
        "+ routes.chat.target.replicas.a: http://a/v1",
        "- routes.chat.target.price.is: free",
        "- routes.chat.target.price.version: free",
        "- routes.chat.target.replicas.127.0.0.1:8000: http://127.0.0.1:8000/v1",
        "~ routes.chat.target.deadlines.gap_s: 30.0 -> 5.0",
        "~ routes.chat.target.model: llama-3 -> llama-4",
        "~ routes.chat.target.unpriced_allowed: False -> True",
    ]


def test_a_contract_that_changes_is_told():
    def asks(**fields):
        return plan(routes={"chat": DeclaredRoute("llama", contract=DeclaredContract(**fields))})

    assert lines(asks(json=True), asks(json=True, on_violation="fail")) == [
        "~ contracts.chat.on_violation: mark -> fail"
    ]
    assert "+ contracts.chat.regex: ^a" in lines(plan(), asks(regex="^a"))


def test_bounds_beside_the_routes_are_compared():
    assert lines(plan(), plan(gateway=DeclaredGateway(drain_s=31.0))) == ["~ drain_s: 30.0 -> 31.0"]


def test_a_limit_is_one_line():
    def limits(**amounts):
        return plan(limits={name: DeclaredLimit("calls", n) for name, n in amounts.items()})

    assert lines(limits(), limits(a=5)) == ["+ limits.a: calls 5; beyond it: refuse"]
    assert lines(limits(a=5), limits(a=6)) == [
        "~ limits.a: calls 5; beyond it: refuse -> calls 6; beyond it: refuse"
    ]


def test_equal_digests_and_no_differences_are_the_same_thing():
    changed = plan(gateway=DeclaredGateway(processes=2))
    assert changed.digest == plan().digest and lines(plan(), changed) == []


def test_shares_fallbacks_and_credentials_differ_by_name():
    targets = {name: DeclaredTarget("engine", name, price="free") for name in ("a", "b", "c")}
    before = plan(targets=targets, routes={"chat": DeclaredRoute("a")})
    keys = (SecretRef(env="A"), SecretRef(env="B"))
    targets["a"] = DeclaredTarget("engine", "a", price="free", api_keys=keys)
    route = DeclaredRoute(
        targets={"a": 1.0, "b": 2.0}, fallbacks=DeclaredFallbacks(unavailable=("c",))
    )
    found = {d.path: d for d in differences(before, plan(targets=targets, routes={"chat": route}))}
    assert found["routes.chat.others.b.weight"].after == "2.0"
    assert found["routes.chat.fallbacks.unavailable.c.model"].after == "c"
    assert found["routes.chat.target.more_credentials"].after == "${B}"


def test_what_is_left_out_and_in_which_order_others_are_asked_is_told():
    def routed(*names, **fields):
        fallbacks = DeclaredFallbacks(unavailable=names)
        return plan(routes={"chat": DeclaredRoute("llama", fallbacks=fallbacks, **fields)})

    one, other = "engine/1", "engine/2"
    assert lines(routed(), routed(unsupported="drop")) == [
        "~ routes.chat.unsupported: refuse -> drop"
    ]
    assert lines(routed(one, other), routed(other, one)) == [
        "~ routes.chat.fallbacks.unavailable.order: engine/1, engine/2 -> engine/2, engine/1"
    ]


def test_what_a_route_adds_and_the_release_under_way_on_it_are_told():
    def prompted(prompt, **candidate):
        found = plan(routes={"chat": DeclaredRoute("llama", system_prompt=prompt)})
        [route] = found.routes.values()
        coming = [Candidate(it, "salt", replace(route, system_prompt="x")) for it in candidate]
        return replace(found, routes={"chat": replace(route, candidate=next(iter(coming), None))})

    said = lines(prompted("Be brief."), prompted("Be kind.", **{"chat/next": 1}))
    assert [line.split(" (")[0] for line in said if "system_prompt" in line] == [
        '+ routes.chat.candidate.system_prompt: "x"',
        '~ routes.chat.system_prompt: "Be brief."',
    ]
    assert "+ routes.chat.candidate.rollout: chat/next" in said


def test_whose_tokens_are_believed_and_what_they_grant_is_told_line_by_line():
    one = Issuer(
        "k8s",
        "https://i",
        ("a",),
        IssuerKeys(url="https://i/keys", credential=SecretRef(env="T")),
        (Grant(FromClaim("red"), (Match(("sub",), ("x*",)),)), Grant(FromClaim("rest"))),
    )
    other = replace(one, audiences=("a", "b"), grants=one.grants[1:])
    before, after = (replace(plan(), callers=(it,)) for it in (one, other))
    first, second = (msgspec.json.encode(it).decode() for it in one.grants)
    assert lines(before, after) == [
        "~ callers.k8s.audiences: a -> a, b",
        f"~ callers.k8s.grants.0: {first} -> {second}",
        f"- callers.k8s.grants.1: {second}",
    ]
    told = lines(plan(), before)
    assert "+ callers.k8s.keys.credential: ${T}" in told
    assert "+ callers.k8s.issuer: https://i" in told
