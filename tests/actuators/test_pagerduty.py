from tests.actuators.messages import ending, many, message, notice

from tidegate.actuators.pagerduty import dedup_key, event


def test_one_is_triggered_and_resolved_under_its_own_key() -> None:
    one = event(message(), "R0UT1NG")
    assert (one["routing_key"], one["event_action"]) == ("R0UT1NG", "trigger")
    assert one["dedup_key"] == "tidegate/production/burn/chat/ttft"
    payload = one["payload"]
    assert isinstance(payload, dict)
    assert payload["severity"] == "critical"
    assert payload["summary"] == "chat burns its budget 14.4 times too fast"
    assert (payload["source"], payload["component"]) == ("production", "chat")
    assert payload["timestamp"] == "2026-09-21T14:13:20.000+00:00"
    assert event(ending(message()), "R0UT1NG") == {
        "routing_key": "R0UT1NG",
        "event_action": "resolve",
        "dedup_key": "tidegate/production/burn/chat/ttft",
    }


def test_several_are_one_alert_which_its_own_end_resolves() -> None:
    storm = many(3, severity="ticket", route=None)
    assert dedup_key(storm) == dedup_key(ending(storm)) == "tidegate/production/m1"
    payload = event(storm, "k")["payload"]
    assert isinstance(payload, dict)
    assert (payload["severity"], payload["component"]) == ("warning", "several")


def test_nothing_is_longer_than_it_takes() -> None:
    long = message(notice(key="k" * 500, title="t" * 5000))
    assert len(dedup_key(long)) <= 255
    assert dedup_key(long) != dedup_key(message(notice(key="k" * 499 + "l")))
    payload = event(long, "k")["payload"]
    assert isinstance(payload, dict)
    assert len(payload["summary"]) == 1024
