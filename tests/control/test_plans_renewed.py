"""A plan is published anew when a file that it names has other content: gateways read it again."""

import asyncio
from pathlib import Path

import pytest
from tests.control.conftest import PLAN, compile_plan
from tests.control.test_plans import on_disk, versions_watched

from tidegate.control.plans import Plans
from tidegate.core.layout import Layout

SECRET = "canaryQ7mZp2Lx9Vt4Rb6Ys1Wd8"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "credential"
    file.write_text(SECRET)
    return file


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text("a certificate")
    return file


@pytest.fixture
def announced() -> list[int]:
    return []


@pytest.fixture
def plans(
    layout: Layout, plan_file: Path, secret: Path, authority: Path, announced: list[int]
) -> Plans:
    named = f'api_key: "file:{secret.name}", ca_file: {authority.name}'
    plan_file.write_text(PLAN.format(route="chat").replace("api_key: none", named))
    plans = Plans(layout, plan_file, compile_plan, announced.append)
    plans.start(0)
    return plans


def test_the_watch_sees_a_credential_and_an_authority_change(
    plans: Plans, secret: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = plans.current.digest
    changes = {
        0: lambda: secret.write_text("another"),
        4: lambda: authority.write_text("another certificate"),
    }
    assert versions_watched(plans, monkeypatch, changes) == [1, 1, 2, 2, 2, 2, 3, 3]
    assert plans.current.digest == digest


@pytest.mark.parametrize("cause", ["signal", "api"])
def test_a_reload_picks_up_a_credential_once(
    plans: Plans, layout: Layout, secret: Path, announced: list[int], cause: str
) -> None:
    fresh = secret.with_suffix(".new")
    fresh.write_text(SECRET[::-1])  # of the same size
    fresh.replace(secret)
    first = asyncio.run(plans.reload(cause))  # type: ignore[arg-type]
    assert (first.outcome, first.version) == ("published", 2)
    again = asyncio.run(plans.reload(cause))  # type: ignore[arg-type]
    assert (again.outcome, again.version) == ("unchanged", 2)
    assert announced == [1, 2]
    assert on_disk(layout).version == 2
    for written in (SECRET, SECRET[::-1]):
        assert written.encode() not in layout.plan.read_bytes()


def test_a_refused_plan_file_holds_up_no_credential(
    plans: Plans, plan_file: Path, secret: Path, announced: list[int]
) -> None:
    plan_file.write_text("routes: {")
    secret.write_text("another")
    result = asyncio.run(plans.reload("signal"))
    assert (result.outcome, result.version) == ("refused", 2)
    assert list(plans.current.routes) == ["chat"]
    assert announced == [1, 2]


def test_a_credential_that_is_gone_for_a_while_takes_nothing_away(
    plans: Plans, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {0: secret.unlink, 4: lambda: secret.write_text("another")}
    assert versions_watched(plans, monkeypatch, changes) == [1, 1, 1, 1, 1, 1, 2, 2]


def test_what_changed_while_control_was_away_is_published_at_its_start(
    plans: Plans, layout: Layout, plan_file: Path, secret: Path, announced: list[int]
) -> None:
    """Gateways that ran on may hold the old one, and nothing remembers which they read."""
    secret.write_text("another")
    again = Plans(layout, plan_file, compile_plan, announced.append)
    again.start(plans.current.version)
    assert again.current.version == 2
    assert announced == [1, 2]
