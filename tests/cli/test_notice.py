"""`tidegate notice`."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

NOTICE: dict[str, Any] = {
    "id": "n1",
    "key": "burn/chat\u001b[2J",
    "topic": "burn",
    "severity": "page",
    "title": "It burns",
    "text": "",
    "at_s": 0.0,
    "route": "chat",
}
WAY = {
    "way": "chat",
    "state": "dead",
    "message": "m1",
    "tries": 66,
    "error": "status 500",
    "ended_at_s": 60.0,
}
OTHER = {**WAY, "way": "mail", "state": "delivered", "tries": 1, "error": None}
SILENCE = {
    "id": "s1",
    "matchers": {"topic": "burn", "key": "burn/*"},
    "reason": "deploy",
    "author": "ana",
    "at_s": 0.0,
    "until_s": 3600.0,
}


def test_notices_are_listed_with_what_became_of_them_and_the_silences(
    run: Callable[..., Result], control: FakeControl
) -> None:
    views = [
        {"notice": NOTICE, "silenced_by": None, "ways": [WAY, OTHER]},
        {"notice": {**NOTICE, "resolved_at_s": 5.0}, "silenced_by": None, "ways": []},
        {"notice": NOTICE, "silenced_by": "s1", "ways": []},
    ]
    control.answers["GET /api/notices"] = {"notices": views, "before": "n1"}
    control.answers["GET /api/notices/silences"] = {"silences": [SILENCE]}
    told = run("notice", "list", "--open", "--limit", "3")
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert "chat: NOT TOLD, mail: told" in lines[1] and "burn/chat?[2J" in lines[1]
    assert "over 1970-01-01 00:00:05Z" in lines[2] and "nobody" in lines[2]
    assert "silenced" in lines[3]
    assert "chat, message m1, 66 tries: status 500" in told.output
    assert "More: --before n1" in told.output
    assert "topic burn, key burn/*" in told.output and "deploy" in told.output
    assert dict(control.asked[0].url.params) == {"open": "true", "limit": "3"}


def test_a_silence_is_asked_for_in_its_own_words(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/notices/silences"] = SILENCE
    words = ("--topic", "burn", "--key", "burn/*", "--for", "1h", "--reason", "deploy")
    told = run("notice", "silence", *words)
    assert told.output == "Silenced topic burn, key burn/* until 1970-01-01 01:00:00Z: s1\n"
    assert control.bodies() == [
        {"matchers": {"topic": "burn", "key": "burn/*"}, "lasts_s": 3600.0, "reason": "deploy"}
    ]


def test_what_cannot_be_silenced_is_said_here(
    run: Callable[..., Result], control: FakeControl
) -> None:
    for words, said in (
        (("--for", "1h"), "say what to silence"),
        (("--key", "*", "--for", "40d"), "31d at most"),
        (("--key", "*", "--for", "soon"), "no duration"),
        (("--severity", "critical", "--for", "1h"), "not one of"),
    ):
        told = run("notice", "silence", "--reason", "x", *words)
        assert told.exit_code == 2 and said in told.output
    assert control.asked == []


def test_a_silence_is_ended_by_its_id(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /api/notices/silences/s1/end"] = {"silences": []}
    assert run("notice", "unsilence", "s1").output == "Ended s1.\n"
    assert run("notice", "unsilence", "../x").exit_code == 2
    control.answers["POST /api/notices/silences/s2/end"] = refusal(404, "not_found", "No such.")
    gone = run("notice", "unsilence", "s2")
    assert gone.exit_code == 1 and "No such." in gone.output


def test_each_way_says_whether_it_took_a_test(
    run: Callable[..., Result], control: FakeControl
) -> None:
    took = {"way": "mail", "error": None, "remark": "not taken for b@example.com"}
    control.answers["POST /api/notices/test"] = {"ways": [took]}
    told = run("notice", "test")
    assert (told.exit_code, told.output) == (0, "mail took it (not taken for b@example.com)\n")
    no = {"way": "chat", "error": "status 404: no\u001b[2J", "remark": None}
    control.answers["POST /api/notices/test"] = {"ways": [took, no]}
    told = run("notice", "test", "--way", "chat")
    assert told.exit_code == 1
    assert "chat did NOT take it: status 404: no?[2J" in told.output
    assert control.bodies()[1] == {"way": "chat"}
