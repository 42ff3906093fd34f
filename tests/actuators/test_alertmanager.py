"""What Alertmanager is told, and that a real one takes it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.actuators.messages import NOON_S, ending, message, notice
from tests.actuators.receivers import Http

from tidegate.actuators.alertmanager import RENEW_S, alert, plug
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.secret import Secret
from tidegate.core.ways import Place

_CONFIG = """\
route: {receiver: nobody, group_by: [alertname]}
receivers: [{name: nobody}]
"""


def test_its_labels_are_the_same_from_beginning_to_end() -> None:
    one = alert(notice(), message(), NOON_S + 30)
    assert one["labels"] == {
        "alertname": "TidegateBurn",
        "severity": "page",
        "topic": "burn",
        "source": "production",
        "key": "burn/chat/ttft",
        "route": "chat",
    }
    assert one["startsAt"] == "2026-09-21T14:13:20.000+00:00"
    over = ending(message())
    ended = alert(over.notices[0], over, NOON_S + 700)
    assert ended["labels"] == one["labels"]
    assert ended["endsAt"] == "2026-09-21T14:23:20.000+00:00"


def test_it_holds_some_time_longer_than_until_it_is_said_again() -> None:
    first, again = (alert(notice(), message(), NOON_S + at_s) for at_s in (0.0, RENEW_S))
    assert str(first["endsAt"]) > "2026-09-21T14:25"
    assert str(again["endsAt"]) > str(first["endsAt"])
    assert again["startsAt"] == first["startsAt"]


def test_an_end_before_its_beginning_is_none() -> None:
    one = alert(notice(resolved_at_s=NOON_S - 60), message(), NOON_S)
    assert str(one["startsAt"]) <= str(one["endsAt"])


def test_a_token_is_sent_where_there_is_one(http: Http) -> None:
    declared = DeclaredWay("alertmanager", url=f"{http.url}/am", private=True)
    plug.send(message(), Place(declared, Secret("hush")), NOON_S)
    plug.send(message(), Place(declared), NOON_S)
    first, second = http.taken
    assert first.path == "/am/api/v2/alerts"
    assert first.headers["authorization"] == "Bearer hush"
    assert "authorization" not in second.headers


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "config.yml").write_text(_CONFIG)
    command = [
        "prometheus-alertmanager",
        f"--config.file={tmp_path / 'config.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    log = (tmp_path / "log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(500):
                try:
                    if httpx2.get(f"{url}/-/ready").status_code == 200:
                        break
                except httpx2.ConnectError:
                    time.sleep(0.02)
            yield url
        finally:
            process.terminate()


@pytest.mark.alertmanager
def test_a_real_one_has_each_alert_once_and_lets_it_go_at_its_end(alertmanager: str) -> None:
    place = Place(DeclaredWay("alertmanager", url=alertmanager, private=True))
    now_s = time.time()
    odd = notice(id="n2", key='odd "key" \\ 漢\u202e', title="<b>", route=None, at_s=now_s - 5)
    told = message(notice(at_s=now_s - 60), odd, at_s=now_s)

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx2.get(f"{alertmanager}/api/v2/alerts").json()
        return sorted(found, key=lambda one: str(one["labels"]["key"]))

    for later_s in (0.0, 1.0, 2.0):  # told, told again, renewed
        plug.send(told, place, now_s + later_s)
    first, second = there()
    assert first["labels"]["alertname"] == "TidegateBurn"
    assert first["annotations"]["summary"] == "chat burns its budget 14.4 times too fast"
    assert second["labels"]["key"] == odd.key
    over = message(
        notice(at_s=now_s - 60, resolved_at_s=now_s, resolution="It is over."), at_s=now_s
    )
    plug.send(over, place, now_s)
    assert [one["labels"]["key"] for one in there()] == [odd.key]
