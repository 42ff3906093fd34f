"""What people were told is seen, silenced and tried over the API."""

from collections.abc import Iterator

import pytest
from tests.actuators.receivers import Http, running
from tests.control.conftest import Room, error_code
from tests.stores.test_notices import NOON_S, note, tell

from tidegate.core.notice import NotDelivered
from tidegate.stores import audit, database, deliveries

WAYS = """\
control:
  notifications:
    source: test
    ways:
      chat: {{kind: slack, secret: "${{TG_TEST_HOOK}}", private: true}}
      pager: {{kind: pagerduty, url: "{url}", secret: "${{TG_TEST_HOOK}}", private: true}}
"""


@pytest.fixture
def http() -> Iterator[Http]:
    with running(receiver := Http()):
        yield receiver


@pytest.fixture
def told(room: Room, http: Http, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("TG_TEST_HOOK", f"{http.url}/hook")
    room.plan_file.write_text(room.plan_file.read_text() + WAYS.format(url=f"{http.url}/v2"))
    room.plans.start(0)
    return room


def test_each_notice_is_listed_with_what_became_of_it(room: Room) -> None:
    engine = room.desk.engine
    for key in ("a", "b", "c"):
        note(engine, tell(key, route="chat"))
    with database.writing(engine) as connection:
        deliveries.route(connection, lambda _: ["chat", "mail"], NOON_S)
        sent = deliveries.claim(connection, "chat", NOON_S, True)
        assert sent is not None
        deliveries.failed(connection, sent[0], NotDelivered("status 400", final=True), NOON_S)
    answer = room.ask("GET", "/api/notices?limit=2").json()
    assert len(answer["notices"]) == 2
    rest = room.ask("GET", f"/api/notices?before={answer['before']}").json()
    assert rest["before"] is None
    views = {one["notice"]["key"]: one for one in answer["notices"] + rest["notices"]}
    assert sorted(views) == ["a", "b", "c"]
    chat, mail = views[sent[1][0].key]["ways"]
    assert (chat["state"], chat["error"], chat["tries"]) == ("dead", "status 400", 1)
    assert (mail["state"], mail["message"]) == ("waiting", None)
    note(engine, tell("a", resolved=True))
    still = room.ask("GET", "/api/notices?open=true").json()["notices"]
    assert sorted(one["notice"]["key"] for one in still) == ["b", "c"]


def test_a_silence_is_set_listed_and_ended(room: Room) -> None:
    engine = room.desk.engine
    asked = {"matchers": {"topic": "burn"}, "lasts_s": 3600, "reason": "deploy"}
    made = room.ask("POST", "/api/notices/silences", asked)
    assert made.status_code == 201, made.text
    silence = made.json()
    assert silence["until_s"] == pytest.approx(silence["at_s"] + 3600)
    note(engine, tell("a"), silence["at_s"])
    with database.writing(engine) as connection:
        deliveries.route(connection, lambda _: ["chat"], silence["at_s"] + 1)
    (view,) = room.ask("GET", "/api/notices").json()["notices"]
    assert view["silenced_by"] == silence["id"] and view["ways"] == []
    assert room.ask("GET", "/api/notices/silences").json()["silences"] == [silence]
    path = f"/api/notices/silences/{silence['id']}/end"
    assert room.ask("POST", path).json()["silences"] == []
    assert error_code(room.ask("POST", path)) == "not_found"
    with database.reading(engine) as connection:
        assert [row.what for row in audit.recent(connection, limit=2)] == [
            "notice.unsilence",
            "notice.silence",
        ]


def test_nothing_is_silenced_by_saying_nothing(room: Room) -> None:
    answer = room.ask(
        "POST", "/api/notices/silences", {"matchers": {}, "lasts_s": 1, "reason": "x"}
    )
    assert error_code(answer) == "invalid_request"
    assert room.ask("GET", "/api/notices/silences").json()["silences"] == []


def test_too_many_silences_are_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.stores.silences.MAX_IN_FORCE", 0)
    asked = {"matchers": {"key": "*"}, "lasts_s": 1, "reason": "x"}
    assert error_code(room.ask("POST", "/api/notices/silences", asked)) == "invalid_request"


def test_each_way_is_tried_with_a_notice_and_its_end(told: Room, http: Http) -> None:
    answer = told.ask("POST", "/api/notices/test", {})
    assert answer.json()["ways"] == [
        {"way": "chat", "error": None, "remark": None},
        {"way": "pager", "error": None, "remark": None},
    ]
    paths = sorted(one.path for one in http.taken)
    assert paths == ["/hook", "/hook", "/v2", "/v2"]
    assert any(b'"resolve"' in one.body for one in http.taken)
    http.faults = [404]
    (tried,) = told.ask("POST", "/api/notices/test", {"way": "chat"}).json()["ways"]
    assert tried["error"] == "status 404"
    assert told.ask("GET", "/api/notices").json()["notices"] == []


def test_a_way_that_there_is_not_is_said(told: Room, room: Room) -> None:
    answer = told.ask("POST", "/api/notices/test", {"way": "chit"})
    assert error_code(answer) == "not_found" and "chat" in answer.text


def test_without_a_way_nothing_can_be_tried(room: Room) -> None:
    answer = room.ask("POST", "/api/notices/test", {})
    assert error_code(answer) == "invalid_request" and "control.notifications" in answer.text
