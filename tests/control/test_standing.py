"""One control leads; the others follow what it publishes, and one of them takes over."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw
from tests.control.conftest import PLAN, Room, compile_plan
from tests.postgres import Server

from tidegate.control.feed_log import FeedLog
from tidegate.control.plans import Plans
from tidegate.control.standing import Standing
from tidegate.core.feed import PlanPublished
from tidegate.core.layout import Layout
from tidegate.core.secret import Secret
from tidegate.stores import postgres_engine
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.plans import PlanSuperseded


class Machine:
    """Control's plans and standing on a machine of this name."""

    def __init__(self, url: Secret, folder: Path, route: str = "fast") -> None:
        self.layout = Layout(folder)
        folder.mkdir()
        self.file = folder / "tidegate.yaml"
        self.file.write_text(PLAN.format(route=route))
        self.engine = postgres_engine.open_engine(url)
        self.log = FeedLog(self.engine, self.published)
        self.plans = Plans(
            self.layout, self.file, compile_plan, self.log.announce_plan, self.log.claim_plan
        )
        self.standing = Standing(self.engine, folder.name, self.plans, self.log)

    def published(self) -> PlanPublished:
        return self.plans.published()

    def begin(self) -> None:
        self.standing.begin(lambda: False)

    def close(self) -> None:
        self.standing.close()
        self.engine.dispose()


@pytest.fixture
def machines(shared: Secret, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    one, other = Machine(shared, tmp_path / "one"), Machine(shared, tmp_path / "other", "slow")
    yield one, other
    one.close()
    other.close()


@pytest.mark.postgres
def test_the_second_follows_the_first_and_says_so(
    machines: tuple[Machine, Machine], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = machines
    caplog.set_level("INFO")
    one.begin()
    other.begin()
    assert (one.standing.leads, one.standing.who_leads()) == (True, None)
    assert (other.standing.leads, other.standing.who_leads()) == (False, "one")
    assert "this control is stand-by: one leads" in caplog.text
    assert other.plans.current == one.plans.current
    assert other.layout.plan.read_bytes() == one.layout.plan.read_bytes(), "its gateways start so"
    assert other.plans.declared.keys.team == "house", "what its own file says of control"


@pytest.mark.postgres
def test_what_the_leader_publishes_later_is_followed_too(
    machines: tuple[Machine, Machine],
) -> None:
    one, other = machines
    one.begin()
    other.begin()
    one.file.write_text(PLAN.format(route="new"))
    one.plans._reload("api")
    other.standing.look()
    assert list(other.plans.current.routes) == ["new"]
    assert other.plans.current.version == 2


@pytest.mark.postgres
def test_when_the_leader_is_gone_the_other_publishes_its_own_file(
    machines: tuple[Machine, Machine],
) -> None:
    one, other = machines
    one.begin()
    other.begin()
    one.standing.close()
    other.standing.look()
    assert other.standing.leads
    assert (other.plans.current.version, list(other.plans.current.routes)) == (2, ["slow"])
    one.standing.look()
    assert not one.standing.leads
    assert one.plans.current == other.plans.current


@pytest.mark.postgres
def test_a_leader_that_lost_its_place_unawares_publishes_nothing(
    machines: tuple[Machine, Machine],
) -> None:
    one, other = machines
    one.begin()
    other.begin()
    one.standing._leader.close()
    other.standing.look()
    one.file.write_text(PLAN.format(route="late"))
    with pytest.raises(PlanSuperseded):
        one.plans._reload("api")
    assert list(one.plans.current.routes) == ["fast"], "as it was"
    one.standing.look()
    assert one.plans.current == other.plans.current


@pytest.mark.postgres
def test_a_plan_of_which_nobody_knows_whether_it_is_stored_is_in_nobody_s_way(
    machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machines
    one.begin()
    claim = one.plans._claim

    def lost(plan: PlanPublished) -> None:
        claim(plan)
        raise StoreUnavailable("the reply to COMMIT is lost")

    monkeypatch.setattr(one.plans, "_claim", lost)
    one.file.write_text(PLAN.format(route="lost"))
    with pytest.raises(StoreUnavailable):
        one.plans._reload("api")
    monkeypatch.undo()
    one.file.write_text(PLAN.format(route="next"))
    assert one.plans._reload("api").outcome == "published"
    other.begin()
    assert list(other.plans.current.routes) == ["next"]


@pytest.mark.postgres
def test_what_a_leader_that_was_replaced_still_published_is_superseded(
    machines: tuple[Machine, Machine],
) -> None:
    one, other = machines
    one.begin()
    other.begin()
    one.standing._leader.close()  # the lock is lost unawares
    other.file.write_text(one.file.read_text())
    other.standing.look()  # leads, and has nothing to publish
    one.file.write_text(PLAN.format(route="late"))
    one.plans._reload("api")
    other.standing.look()
    assert other.standing.leads
    assert (other.plans.current.version, list(other.plans.current.routes)) == (3, ["fast"])
    one.standing.look()
    assert one.plans.current == other.plans.current


@pytest.mark.postgres
def test_a_plan_that_was_followed_is_not_read_again(
    machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = machines
    one.begin()
    other.begin()
    monkeypatch.setattr(other.plans, "follow", lambda _: pytest.fail("it was read again"))
    other.standing.look()


@pytest.mark.postgres
def test_a_plan_that_cannot_be_followed_ends_no_look(
    machines: tuple[Machine, Machine], caplog: pytest.LogCaptureFixture
) -> None:
    """As an older program meets the plan of a newer one."""
    one, other = machines
    one.begin()
    other.begin()
    one.log.claim_plan(PlanPublished(9, Raw(msgspec.msgpack.encode([1]))))
    for _ in range(3):
        other.standing.look()
    assert caplog.text.count("cannot follow its leader") == 1
    assert list(other.plans.current.routes) == ["fast"]
    one.log.claim_plan(PlanPublished(10, one.plans.published().plan))
    other.standing.look()
    assert other.plans.current == one.plans.current


@pytest.mark.postgres
def test_while_the_database_is_away_nobody_leads_and_afterwards_somebody_does(
    postgres: Server, machines: tuple[Machine, Machine]
) -> None:
    one, other = machines
    one.begin()
    other.begin()
    postgres.kill()
    for machine in machines:
        machine.standing.look()
    assert [it.standing.leads for it in machines] == [False, False]
    assert list(one.plans.current.routes) == ["fast"], "the plan stays"
    postgres.start()
    other.standing.look()
    one.standing.look()
    assert [it.standing.leads for it in machines] == [False, True]


def test_a_control_that_stands_by_answers_questions_and_changes_nothing(room: Room) -> None:
    room.desk.who_leads = lambda: "one"
    assert room.ask("GET", "/api/keys").status_code == 200
    refused = room.ask("POST", "/api/keys", {"name": "app"})
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "stand_by"
    assert "one leads" in refused.json()["error"]["message"]
    assert room.ask("POST", "/api/plan/reload").status_code == 503
