import pytest
from tests.actuators.receivers import Http
from tests.actuators.slack_api import TOKEN

from tidegate.actuators._slack_api import call
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.notice import NotDelivered
from tidegate.core.secret import Secret
from tidegate.core.ways import Place, Posted


def place(http: Http) -> Place:
    return Place(DeclaredWay("slack", url=http.url, channel="C1", private=True), Secret(TOKEN))


def test_a_post_without_its_number_is_told_and_cannot_be_changed(http: Http) -> None:
    http.said = b'{"ok": true}'
    assert call("chat.postMessage", {}, place(http)) is None
    http.said = b'{"ok": true, "channel": "C1", "ts": "1.5", "message": {"text": 5}}'
    assert call("chat.postMessage", {}, place(http)) == Posted("C1", "1.5")


@pytest.mark.parametrize(
    "said", [b"", b"<html>", b'{"ok": "yes"}', b"[]", b'{"ok": true, "ts": 5}']
)
def test_an_answer_that_is_not_slacks_leaves_a_post_in_doubt_and_no_change(
    http: Http, said: bytes
) -> None:
    http.said = said
    for method, unknown in (("chat.postMessage", True), ("chat.update", False)):
        with pytest.raises(NotDelivered, match="not Slack's") as failed:
            call(method, {}, place(http))
        assert failed.value.unknown is unknown


def test_no_error_gives_the_token_away_or_steers_a_terminal(http: Http) -> None:
    http.said = b'{"ok": false, "error": "\\u001b[2J xoxb-hush"}'
    with pytest.raises(NotDelivered) as failed:
        call("chat.postMessage", {}, place(http))
    assert "hush" not in str(failed.value) and "\x1b" not in str(failed.value)
