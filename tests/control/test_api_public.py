"""What probes and scrapers read, without a word more."""

from tests.control.conftest import Room


def test_liveness_says_nothing_but_that(room: Room) -> None:
    answer = room.ask("GET", "/livez", token=None)
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "server" not in answer.headers


def test_metrics_are_in_prometheus_form(room: Room) -> None:
    answer = room.ask("GET", "/metrics", token=None)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.text == "tidegate_up 1\n"
