from itertools import permutations

import pytest
from msgspec import msgpack
from msgspec.structs import replace
from tests.core.plans import NOW_S, compiled, complaints, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.declared_gateway import DeclaredGateway, DeclaredHttp
from tidegate.core.declared_keys import DeclaredKeys
from tidegate.core.declared_providers import DeclaredProvider
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_storage import DeclaredStorage
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import HttpBounds, JournalBounds, Plan


def test_a_route_leads_to_a_release_of_its_target():
    plan = compiled(declared(), version=7)
    release = plan.routes["chat"].release
    assert (plan.version, plan.compiled_at_s) == (7, NOW_S)
    assert release.name.startswith("chat@") and len(release.name) == len("chat@") + 8
    assert release.target.model == "llama-3"
    assert [r.name for r in release.target.replicas] == ["127.0.0.1:8000"]


def test_a_plan_survives_the_way_to_a_gateway():
    plan = compiled(declared())
    assert msgpack.decode(msgpack.encode(plan), type=Plan) == plan


def test_the_digest_is_of_what_requests_obey_and_not_of_version_or_time():
    first = compiled(declared(), version=1, now_s=1.0)
    assert compiled(declared(), version=2, now_s=9.0).digest == first.digest
    changed = declared(gateway=DeclaredGateway(drain_s=31.0))
    assert compiled(changed).digest != first.digest


def test_the_digest_does_not_depend_on_the_order_of_routes():
    names = ("a", "b", "c")
    digests = {
        compiled(declared(routes={n: DeclaredRoute("llama") for n in order})).digest
        for order in permutations(names)
    }
    assert len(digests) == 1


def test_a_release_keeps_its_name_until_its_target_changes():
    before = compiled(declared()).routes["chat"].release.name
    same = declared(storage=DeclaredStorage(durability="disk"))
    assert compiled(same).routes["chat"].release.name == before
    other = declared(targets={"llama": DeclaredTarget("engine", "llama-4", price="free")})
    assert compiled(other).routes["chat"].release.name != before


def test_bounds_of_http_and_journal_are_carried_over():
    plan = compiled(
        declared(
            gateway=DeclaredGateway(http=DeclaredHttp(max_body_bytes=4096), drain_s=5.0),
            storage=DeclaredStorage(journal_max_bytes=8192, segment_bytes=4096),
        )
    )
    assert plan.http == replace(HttpBounds(), max_body_bytes=4096)
    assert plan.journal == JournalBounds("process", 4096, 8192)
    assert plan.drain_s == 5.0


def test_the_declared_defaults_are_the_plans():
    plan = compiled(declared())
    assert (plan.http, plan.journal) == (HttpBounds(), JournalBounds())


def test_every_complaint_comes_at_once():
    plan = declared(
        providers={"engine": DeclaredProvider(), "x": DeclaredProvider()},
        targets={"llama": DeclaredTarget("engin", "m")},
        routes={
            "a": DeclaredRoute("lama"),
            "b": DeclaredRoute("y/m"),
            "A": DeclaredRoute("engine"),
        },
        keys=DeclaredKeys(routes=("a", "z")),
        storage=DeclaredStorage(journal_max_bytes=1024, segment_bytes=2048),
    )
    assert complaints(plan).keys() == {
        "providers.x",
        "targets.llama.provider",
        "routes.a.target",
        "routes.b.target",
        "routes.A",
        "routes.A.target",
        "keys.routes.1",
        "storage.segment",
    }


def test_a_plan_without_routes_says_what_to_write():
    assert "write for example" in complaints(declared(routes={}))["routes"]


def test_the_refusal_names_every_path():
    with pytest.raises(PlanRefused, match=r"routes: a plan needs a route"):
        compiled(declared(routes={}))
