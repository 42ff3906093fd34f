"""What is known of a target outlives a plan, and ends with the target."""

from pathlib import Path

from msgspec.structs import replace
from tests.gateway.canaried import canaried
from tests.gateway.rig import gateway, plan_of, run, target
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, whole

from tidegate.core.resilience import Breaker, Retry
from tidegate.core.secret import Secret, SecretRef
from tidegate.gateway.standing import OfTarget, Standing

NO = {"error": {"message": "no"}}


def test_an_open_breaker_stays_open_over_a_plan_and_takes_its_new_rules(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as good:
            rules = Breaker(failures=1, open_s=3600.0)
            fragile = at(bad, "a", breaker=rules)
            routes = routed(fragile, retry=Retry(attempts=1), unavailable=(at(good, "b"),))
            async with gateway(tmp_path, fragile, routes=routes) as it:
                assert (await it.ask()).status == 200
                changed = Breaker(failures=9, open_s=1800.0)
                later = at(bad, "a", breaker=changed)
                routes = routed(later, retry=Retry(attempts=1), unavailable=(at(good, "b"),))
                assert await it.obey(plan_of(later, version=2, routes=routes))
                assert (await it.ask()).status == 200
                assert len(bad.exchanges) == 1
                assert it.world.plan is not None
                [replica] = it.world.plan.routes["small"].target.replicas
                assert (replica.breaker.state, replica.breaker.rules) == ("open", changed)
                assert it.world.plan.routes["small"].target.tripped.count == 1

    run(main())


def test_a_credential_that_was_changed_rests_no_more() -> None:
    of, ref = OfTarget(), SecretRef(env="A")
    old = of.credential(ref, Secret("old"))
    old.refused(0.0)
    assert of.credential(ref, Secret("old")) is old
    assert of.credential(ref, Secret("new")).wait_s(1, 1.0) == 0.0


def test_what_a_plan_has_no_more_is_forgotten() -> None:
    standing, one, other = Standing(), target(1, "a"), target(1, "b")
    kept, gone = standing.of(one), standing.of(other)
    plan = plan_of(one)
    budget = standing.budget(plan.routes["a"])
    standing.adopt(plan)
    assert standing.of(one) is kept
    assert standing.of(other) is not gone
    assert standing.budget(plan.routes["a"]) is budget


def test_breakers_that_are_not_used_are_counted_no_more() -> None:
    of, it = OfTarget(), target(1, "a", breaker=Breaker(failures=1))
    credential = of.credential(None, None)
    gone = of.breaker("old", "", it)
    gone.told("failed", False, 0.0)
    assert of.tripped.count == 1
    of.keep([("new", credential, of.breaker("new", "", it))], it)
    assert of.tripped.count == 0


def test_what_requests_of_an_older_plan_say_of_parts_that_are_gone_counts_nothing() -> None:
    of, it = OfTarget(), target(1, "a", breaker=Breaker(failures=1))
    old, new = of.credential(SecretRef(env="A"), Secret("old")), of.credential(None, None)
    gone, here = of.breaker("old", "A", it), of.breaker("new", "", it)
    for breaker in (gone, here):
        breaker.told("failed", False, 0.0)
    for credential in (old, new):
        credential.refused(0.0)
    of.keep([("new", new, here)], it)
    gone.told("worked", False, 1.0)
    old.accepted()
    assert (of.tripped.count, of.tripped.refused) == (1, 1)
    gone.told("failed", False, 2.0)
    old.refused(2.0)
    assert (of.tripped.count, of.tripped.refused) == (1, 1)


def test_what_is_known_of_a_release_lasts_until_it_ends_or_begins_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            routes = canaried(at(up, "a"), at(up, "b"), with_retry=Retry(attempts=3))
            [route] = routes.values()
            assert route.candidate is not None
            anew = replace(route, candidate=replace(route.candidate, salt="another"))
            gone = replace(route, candidate=None)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                standing, known = it.preparer.standing, []
                for version, now in enumerate((route, route, anew, gone, route), start=2):
                    plan = plan_of(at(up, "a"), version=version, routes={"small": now})
                    assert await it.obey(plan)
                    known.append([one for _, one in standing.releases()])
                assert known[0] == known[1] and len(known[0]) == 1
                assert known[0][0].budget.retry == Retry(attempts=3)
                assert known[2] != known[0] and known[3] == [] and known[4] != known[0]

    run(main())
