from collections.abc import Iterator
from typing import Any

import pytest
from tests.actuators.messages import NOON_S, ending, message, notice
from tests.actuators.receivers import HANG_UP, LOSE_ANSWER, Fault, running
from tests.actuators.slack_api import CHANNEL, TOKEN, SlackApi

from tidegate.actuators.slack import plug
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place, Posted, PostGone, Told


@pytest.fixture
def api() -> Iterator[SlackApi]:
    with running(slack := SlackApi()):
        yield slack


def place(api: SlackApi, posted: Posted | None = None, secret: str = TOKEN) -> Place:
    url = f"{api.url}/api"
    return Place(
        DeclaredWay("slack", url=url, channel="#ops", private=True), Secret(secret), posted
    )


def post(api: SlackApi, **fields: Any) -> Posted:
    told = plug.send(message(notice(**fields)), place(api), NOON_S)
    assert told is not None and told.posted is not None
    return told.posted


def test_slack_knows_no_message_again() -> None:
    assert not plug.repeatable


def test_a_bot_posts_to_the_channel_and_knows_where(api: SlackApi) -> None:
    assert post(api).channel == CHANNEL
    assert "authorization" in api.asked[0].headers
    assert api.posts.popitem()[1][0]["channel"] == "#ops"


def test_its_end_changes_the_post_and_nobody_is_called(api: SlackApi) -> None:
    posted = post(api)
    assert plug.send(ending(message()), place(api, posted), NOON_S) == Told(posted=posted)
    assert api.calls == ["chat.postMessage", "chat.update"]
    assert api.shown()[0].startswith(":white_check_mark: *Resolved: ")


def test_what_somebody_has_to_look_at_is_also_said_below_the_post(api: SlackApi) -> None:
    posted = post(api, id="n0", severity="info", title="It is under way")
    worse = message(notice(severity="ticket", title="It is rolled back", at_s=NOON_S + 9))
    before = notice(id="n0", severity="info", title="It is under way")
    plug.send(type(worse)("m2", "x", NOON_S, worse.notices, None, (before,)), place(api, posted), 0)
    assert api.calls == ["chat.postMessage", "chat.update", "chat.postMessage"]
    assert api.replies[0]["thread_ts"] == posted.ts
    assert "It is under way" in api.shown()[0] and "It is rolled back" in api.shown()[0]
    assert len(api.posts) == 1


@pytest.mark.parametrize("error", ["cant_update_message", "edit_window_closed"])
def test_a_post_that_can_be_changed_no_more_is_said_to_be_gone(api: SlackApi, error: str) -> None:
    api.faults = [error]
    with pytest.raises(PostGone):
        plug.send(ending(message()), place(api, Posted(CHANNEL, "1.0")), NOON_S)
    with pytest.raises(PostGone):  # somebody deleted it
        plug.send(ending(message()), place(api, Posted(CHANNEL, "2.0")), NOON_S)


@pytest.mark.parametrize("fault", [HANG_UP, LOSE_ANSWER, 503, "internal_error", "not_json_at_all"])
def test_a_change_may_be_said_again_whatever_happened_to_it(api: SlackApi, fault: Fault) -> None:
    posted = post(api)
    api.faults = [fault]
    with pytest.raises(NotDelivered) as failed:
        plug.send(ending(message()), place(api, posted), NOON_S)
    assert not failed.value.unknown and not failed.value.final
    assert plug.send(ending(message()), place(api, posted), NOON_S) == Told(posted=posted)
    assert len(api.posts) == 1


@pytest.mark.parametrize(
    ("fault", "unknown", "final", "said"),
    [
        (LOSE_ANSWER, True, False, "no answer"),
        ("internal_error", True, False, "Slack says internal_error"),
        ("msg_too_long", False, True, "Slack says msg_too_long"),
        ("not_in_channel", False, False, "invite its app to the channel"),
        ("missing_scope", False, False, "chat:write"),
        (429, False, False, "status 429"),
    ],
)
def test_what_became_of_a_post_is_known_or_said_not_to_be(
    api: SlackApi, fault: Fault, unknown: bool, final: bool, said: str
) -> None:
    api.faults, api.headers = [fault], ["retry-after: 30"] if fault == 429 else []
    with pytest.raises(NotDelivered, match=said) as failed:
        post(api)
    assert (failed.value.unknown, failed.value.final) == (unknown, final)
    assert failed.value.retry_after_s == (30.0 if fault == 429 else None)


def test_a_secret_of_the_wrong_kind_is_said_and_goes_nowhere(api: SlackApi) -> None:
    with pytest.raises(NotDelivered, match="needs a bot's token"):
        plug.send(message(), place(api, secret=f"{api.url}/services/T0"), NOON_S)
    with pytest.raises(NotDelivered, match="write a `channel`"):
        plug.send(message(), Place(DeclaredWay("slack"), Secret(TOKEN)), NOON_S)
    assert api.asked == []
    wrong = DeclaredWay("slack", url="https://slack.com/api")
    assert "for a `channel`" in (plug.complaint(wrong) or "")
