"""One thing has one post, which says how the thing stands, whoever goes on with it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select
from tests.actuators.receivers import LOSE_ANSWER, TAKE, running
from tests.actuators.slack_api import TOKEN, SlackApi
from tests.stores.test_notices import NOON_S, note, tell

from tidegate.control import notifying
from tidegate.control.notifying import Notifying
from tidegate.control.posting import COMES_BACK_S, OLD_S
from tidegate.core.declared_notifications import DeclaredNotifications, DeclaredWay
from tidegate.core.secret import SecretRef
from tidegate.stores import database, deliveries
from tidegate.stores.schema_notices import deliveries as table


@pytest.fixture
def slack() -> Iterator[SlackApi]:
    with running(api := SlackApi()):
        yield api


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as the test sets it."""
    now = [NOON_S]
    monkeypatch.setattr(notifying.clock, "wall_s", lambda: now[0])
    monkeypatch.setattr(deliveries, "_pause_s", lambda *_: 0.0)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return now


def pass_over(engine: Engine, slack: SlackApi, channel: str = "#ops") -> None:
    """As a control that has just begun does it."""
    fields: dict[str, Any] = {"secret": SecretRef(env="S"), "private": True}
    way = DeclaredWay("slack", url=f"{slack.url}/api", channel=channel, **fields)
    declared = DeclaredNotifications(ways={"team": way})
    it = Notifying(engine, lambda: declared, {"S": TOKEN}, lambda: True)
    for _ in range(2):
        for one in it.look(notifying.clock.wall_s()):
            it.serve(one)


def released(what: str, severity: str = "info", **fields: Any) -> Any:
    key = f"release/chat/new/{what}"
    return tell(key, topic="release", severity=severity, title=f"chat/new: {what}", **fields)


def states(engine: Engine) -> list[str]:
    with database.reading(engine) as connection:
        query = select(table.c.state).order_by(table.c.id)
        return list(connection.execute(query).scalars())


def test_a_release_has_one_post_from_its_start_to_its_end(
    engine: Engine, slack: SlackApi, wall: list[float]
) -> None:
    for what in ("started", "paused"):
        note(engine, released(what), wall[0])
        pass_over(engine, slack)
        wall[0] += 86_400
    note(engine, released("paused", resolved=True), wall[0])
    note(engine, released("rolled back", "ticket"), wall[0])
    pass_over(engine, slack)
    (said,) = slack.shown()
    assert said.startswith(":warning: *chat/new: rolled back*")
    assert "chat/new: started" in said and "until" in said
    assert len(slack.replies) == 1  # of what somebody has to look at
    assert set(states(engine)) == {"delivered"}


def test_what_ended_is_said_to_be_over_in_the_same_post(engine: Engine, slack: SlackApi) -> None:
    note(engine, tell("burn/chat/ttft/page"))
    pass_over(engine, slack)
    note(engine, tell("burn/chat/ttft/page", resolved=True, text="It is out."))
    pass_over(engine, slack)
    (said,) = slack.shown()
    assert said.startswith(":white_check_mark: *Resolved: It burns*") and "It is out." in said
    assert slack.replies == []


@pytest.mark.parametrize(("later_s", "count"), [(COMES_BACK_S / 2, 1), (COMES_BACK_S * 2, 2)])
def test_another_incident_has_another_post_unless_it_is_the_same_that_came_back(
    engine: Engine, slack: SlackApi, wall: list[float], later_s: float, count: int
) -> None:
    note(engine, tell("burn/chat/ttft/page"), wall[0])
    note(engine, tell("burn/chat/ttft/page", resolved=True), wall[0])
    pass_over(engine, slack)
    wall[0] += later_s
    note(engine, tell("burn/chat/ttft/ticket"), wall[0])
    pass_over(engine, slack)
    assert len(slack.posts) == count
    assert slack.shown()[-1].startswith(":warning:")


def test_a_post_that_was_deleted_or_is_old_is_made_anew(
    engine: Engine, slack: SlackApi, wall: list[float]
) -> None:
    note(engine, released("started"), wall[0])
    pass_over(engine, slack)
    slack.posts.clear()
    note(engine, released("paused"), wall[0])
    pass_over(engine, slack)
    assert len(slack.posts) == 1 and "chat/new: started" in slack.shown()[0]
    wall[0] += OLD_S + 1
    note(engine, released("promoted"), wall[0])
    pass_over(engine, slack)
    assert len(slack.posts) == 2 and "promoted" in slack.shown()[1]
    note(engine, released("done"), wall[0])
    pass_over(engine, slack, channel="#other")
    assert len(slack.posts) == 3


@pytest.mark.parametrize("told", [0, 1])
def test_whose_answer_was_lost_is_changed_again_but_not_posted_again(
    engine: Engine, slack: SlackApi, told: int
) -> None:
    for what in ("started", "paused")[:told]:
        note(engine, released(what))
        pass_over(engine, slack)
    slack.faults = [LOSE_ANSWER]
    note(engine, released("done"))
    pass_over(engine, slack)
    assert len(slack.posts) == 1 and "chat/new: done" in slack.shown()[0]
    assert states(engine)[-1] == ("delivered" if told else "unknown")


@pytest.mark.parametrize(("severity", "state"), [("info", "delivered"), ("ticket", "unknown")])
def test_a_control_that_died_while_it_changed_a_post_is_followed_by_one_that_does(
    engine: Engine,
    slack: SlackApi,
    monkeypatch: pytest.MonkeyPatch,
    wall: list[float],
    severity: str,
    state: str,
) -> None:
    note(engine, released("started"))
    pass_over(engine, slack)
    note(engine, released("done", severity))
    with monkeypatch.context() as patched:
        patched.setattr(Notifying, "_send", killed)
        with pytest.raises(SystemExit):
            pass_over(engine, slack)
    wall[0] += deliveries.LEASE_S + 1
    pass_over(engine, slack)
    assert (len(slack.posts), len(slack.replies)) == (1, 0)
    assert states(engine)[-1] == state


def killed(*_: object) -> None:
    raise SystemExit


def test_a_control_that_died_while_it_posted_anew_does_not_post_twice(
    engine: Engine, slack: SlackApi, wall: list[float]
) -> None:
    note(engine, released("started"))
    pass_over(engine, slack)
    slack.posts.clear()
    slack.faults = [200, LOSE_ANSWER]
    note(engine, released("done"))
    pass_over(engine, slack)
    wall[0] += deliveries.LEASE_S + 1
    pass_over(engine, slack)
    assert len(slack.posts) == 1 and states(engine)[-1] == "unknown"


def test_a_storm_is_one_post_and_ends_as_one(engine: Engine, slack: SlackApi) -> None:
    for number in range(9):
        note(engine, tell(f"burn/r{number}/ttft/ticket"))
    pass_over(engine, slack)
    assert len(slack.posts) == 1
    for number in range(9):
        note(engine, tell(f"burn/r{number}/ttft/ticket", resolved=True))
    pass_over(engine, slack)
    assert len(slack.posts) == 1 and "Resolved" in slack.shown()[0]


def test_what_may_not_have_been_heard_below_a_post_stays_in_it(
    engine: Engine, slack: SlackApi, wall: list[float]
) -> None:
    note(engine, released("started"), wall[0])
    pass_over(engine, slack)
    note(engine, released("rolled back", "ticket"), wall[0] + 60)
    slack.faults = [TAKE, LOSE_ANSWER]  # the post is changed, and what was said below it in doubt
    pass_over(engine, slack)
    assert states(engine) == ["delivered", "unknown"]
    note(engine, released("asked"), wall[0] + 120)
    pass_over(engine, slack)
    (said,) = slack.shown()
    assert said.startswith(":information_source: *chat/new: asked*")
    assert "chat/new: rolled back" in said
