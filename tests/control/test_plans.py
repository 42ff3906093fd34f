"""A plan is published whole or refused whole, and survives every crash in between."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.control.conftest import PLAN, compile_plan

from tidegate.control import plans as module
from tidegate.control.plans import NoPlan, Plans
from tidegate.control.publication import AGAIN, Publication
from tidegate.core.layout import Layout
from tidegate.core.plan import Candidate, Plan
from tidegate.stores.errors import StoreUnavailable


@pytest.fixture
def announced() -> list[int]:
    return []


@pytest.fixture
def plans(layout: Layout, plan_file: Path, announced: list[int]) -> Plans:
    return Plans(layout, plan_file, compile_plan, announced.append)


def on_disk(layout: Layout) -> Plan:
    return msgspec.msgpack.decode(layout.plan.read_bytes(), type=Plan)


def test_the_first_plan_lies_on_disk_before_it_is_announced(
    layout: Layout, plan_file: Path
) -> None:
    def announce(version: int) -> None:
        assert on_disk(layout).version == version

    plans = Plans(layout, plan_file, compile_plan, announce)
    plans.start(0)
    assert plans.current == on_disk(layout)
    assert layout.plan.stat().st_mode & 0o777 == 0o600
    assert plans.published().version == 1


def test_a_broken_file_at_the_first_start_ends_it_with_every_problem(
    plans: Plans, plan_file: Path
) -> None:
    plan_file.write_text("routes: {a: nowhere, b: neither}\n")
    with pytest.raises(NoPlan) as refused:
        plans.start(0)
    assert len(refused.value.problems) == 2


def test_a_broken_file_later_leaves_the_last_good_plan(
    plans: Plans, layout: Layout, plan_file: Path, announced: list[int]
) -> None:
    plans.start(0)
    plan_file.write_text("routes: [")
    again = Plans(layout, plan_file, compile_plan, announced.append)
    again.start(1)
    assert again.current == plans.current
    assert again.problems
    assert announced == [1, 1]  # once more, for a crash between the file and its entry


def test_versions_rise_by_one_and_never_fall_back(
    plans: Plans, layout: Layout, plan_file: Path, announced: list[int]
) -> None:
    plans.start(0)
    for version, route in ((2, "b"), (3, "c")):
        plan_file.write_text(PLAN.format(route=route))
        assert asyncio.run(plans.reload("api")).version == version
    layout.plan.write_bytes(b"\x00 not a plan")
    again = Plans(layout, plan_file, compile_plan, announced.append)
    again.start(3)
    assert again.current.version == 4


def test_a_file_that_is_gone_is_a_problem_and_not_a_crash(plans: Plans, plan_file: Path) -> None:
    plans.start(0)
    plan_file.unlink()
    assert asyncio.run(plans.reload("signal")).outcome == "refused"
    assert plans.current.version == 1


def versions_watched(
    plans: Plans, monkeypatch: pytest.MonkeyPatch, changes: dict[int, Callable[[], object]]
) -> list[int]:
    """The version in force at each of eight looks; `changes` are made just before a look."""
    versions: list[int] = []
    looks = iter(range(8))

    async def sleep(_: float) -> None:
        look = next(looks, None)
        if look is None:
            raise asyncio.CancelledError
        changes.get(look, int)()
        versions.append(plans.current.version)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(plans.watch())
    return versions


def test_the_watch_sees_writes_and_replacements_once_they_rest(
    plans: Plans, plan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.start(0)

    def replace_file() -> None:
        fresh = plan_file.with_suffix(".new")
        fresh.write_text(PLAN.format(route="c"))
        fresh.replace(plan_file)

    changes = {
        1: lambda: plan_file.write_text("routes: {"),  # an editor in the middle of its work
        2: lambda: plan_file.write_text(PLAN.format(route="b")),
        5: replace_file,
    }
    assert versions_watched(plans, monkeypatch, changes) == [1, 1, 1, 1, 2, 2, 2, 3]
    assert plans.failures_total == 0


def test_the_watch_outlives_a_plan_that_could_not_be_published(
    plans: Plans, layout: Layout, plan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.start(0)
    in_the_way = layout.state / ".plan.msgpack.new"
    changes = {
        0: in_the_way.mkdir,
        1: lambda: plan_file.write_text(PLAN.format(route="b")),
        4: in_the_way.rmdir,
    }
    # The versions between may be somebody's: nobody knows how far they got.
    assert versions_watched(plans, monkeypatch, changes) == [1, 1, 1, 1, 1, 4, 4, 4]


def test_a_plan_whose_announcement_failed_is_announced_by_the_next_reading(
    layout: Layout, plan_file: Path, announced: list[int]
) -> None:
    fails = [False, True]

    def announce(version: int) -> None:
        if fails and fails.pop(0):
            raise StoreUnavailable("away")
        announced.append(version)

    plans = Plans(layout, plan_file, compile_plan, announce)
    plans.start(0)
    plan_file.write_text(PLAN.format(route="b"))
    with pytest.raises(StoreUnavailable):
        asyncio.run(plans.reload("api"))
    assert (plans.current.version, plans.is_announced) == (2, False)
    assert asyncio.run(plans.reload("api")).outcome == "unchanged"
    assert announced == [1, 2]
    asyncio.run(plans.reload("api"))
    assert (announced, plans.is_announced) == ([1, 2], True)


def test_a_plan_that_another_store_knew_is_claimed_in_this_one(
    plans: Plans, layout: Layout, plan_file: Path
) -> None:
    plans.start(0)
    claimed: list[int] = []
    again = Plans(
        layout, plan_file, compile_plan, lambda _: None, lambda plan: claimed.append(plan.version)
    )
    again.start(0)
    assert (claimed, again.current) == ([1], plans.current)
    again.start(7)  # a version beyond it was claimed and never came to this disk
    assert (claimed, again.current.version) == ([1, 8], 8)


def test_the_releases_on_their_way_are_those_of_the_plan_of_now(plans: Plans) -> None:
    assert plans.candidates() is None
    plans.start(0)
    assert plans.candidates() == {}
    [(name, route)] = plans.current.routes.items()
    one, two = (Candidate(f"{name}/{it}", "salt", route) for it in ("next", "brief"))
    coming = replace(route, candidate=one, beside=two)
    plan = replace(plans.current, version=9, digest="other", routes={name: coming})
    asyncio.run(plans.amend(lambda _declared, _version: (plan, None)))
    told = route.release.name
    assert plans.candidates() == {f"{name}/next": told, f"{name}/brief": told}


def test_what_was_published_says_by_whom_and_what_it_moved(
    plans: Plans, layout: Layout, plan_file: Path, announced: list[int]
) -> None:
    plans.start(0)
    assert plans.publication is not None and plans.publication.by == "start"
    plan_file.write_text(PLAN.format(route="b"))
    asyncio.run(plans.reload("api", "ada"))
    moved = "new routes b; without routes chat"
    assert plans.publication == Publication(2, "ada", moved)
    plan_file.write_text(PLAN.format(route="a"))
    asyncio.run(plans.reload("file change"))
    assert (plans.publication.version, plans.publication.by) == (3, "file change")
    again = Plans(layout, plan_file, compile_plan, announced.append)
    again.start(3)
    assert again.publication == Publication(3, "start", AGAIN)
