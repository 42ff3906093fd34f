"""The plan over the API: seen, read again, refused."""

from tests.control.conftest import PLAN, Room, error_code


def test_the_plan_in_force_and_nobody_who_serves_it(room: Room) -> None:
    seen = room.ask("GET", "/api/plan").json()
    assert (seen["version"], seen["routes"], seen["problems"]) == (1, ["chat"], [])
    assert seen["served"] == {}
    gateways = room.ask("GET", "/api/gateways").json()
    assert gateways == {"gateways": [], "feed_seq": room.log.newest_seq()}


def test_reading_an_unchanged_file_publishes_nothing(room: Room) -> None:
    seq = room.log.newest_seq()
    answer = room.ask("POST", "/api/plan/reload").json()
    assert (answer["outcome"], answer["version"]) == ("unchanged", 1)
    assert room.log.newest_seq() == seq


def test_a_changed_file_is_published_once(room: Room) -> None:
    room.plan_file.write_text(PLAN.format(route="talk"))
    answer = room.ask("POST", "/api/plan/reload").json()
    assert (answer["outcome"], answer["version"], answer["waiting_for"]) == ("published", 2, [])
    assert room.ask("GET", "/api/plan").json()["routes"] == ["talk"]


def test_a_refused_file_changes_nothing_and_all_its_problems_are_told(room: Room) -> None:
    room.plan_file.write_text("routes: {a: nowhere, b: neither}\nnonsense: 1\n")
    answer = room.ask("POST", "/api/plan/reload")
    assert (answer.status_code, error_code(answer)) == (422, "plan_refused")
    problems = answer.json()["error"]["problems"]
    assert len(problems) >= 3
    assert all(str(room.plan_file) in problem for problem in problems)
    seen = room.ask("GET", "/api/plan").json()
    assert (seen["version"], seen["routes"], seen["problems"]) == (1, ["chat"], problems)
    assert seen["failures_total"] == 1
    room.plan_file.write_text(PLAN.format(route="chat"))
    assert room.ask("POST", "/api/plan/reload").json()["outcome"] == "unchanged"
    assert room.ask("GET", "/api/plan").json()["problems"] == []


def test_who_leads_is_told_where_it_is_another(room: Room) -> None:
    assert room.ask("GET", "/api/plan").json()["leader"] is None
    room.desk.who_leads = lambda: "blue-1"
    assert room.ask("GET", "/api/plan").json()["leader"] == "blue-1"
