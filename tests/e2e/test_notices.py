"""Control as a process tells people what a budget came to: once, also when it is killed."""

import os
import signal
import time
from pathlib import Path

import msgspec
import pytest
from tests.actuators.receivers import Http, MailServer, running
from tests.control.test_process import Started
from tests.stores import rig

from tidegate.control.credentials import create_state
from tidegate.core.layout import Layout
from tidegate.stores.ledger import Ledger

PLAN = """\
providers: {{mine: {{kind: sim, base_url: "http://127.0.0.1:9/v1"}}}}
targets: {{small: {{provider: mine, model: small, price: free}}}}
routes: {{chat: small}}
budgets: {{house: {{amount: $1, per: day, alerts: [100%]}}}}
control:
  notifications:
    ways:
      hook: {{kind: webhook, url: "{hook}", secret: "file:secret", private: true}}
      mail:
        kind: email
        private: true
        server: "127.0.0.1:{mail}"
        tls: none
        from: tidegate@example.com
        to: [a@example.com]
"""


def test_a_budget_that_is_spent_is_told_once_by_each_way_also_when_control_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    layout = Layout(tmp_path / "state")
    create_state(layout)
    engine = rig.migrated(layout.ledger_db)
    spent = rig.receipt(time.time(), cost_nanousd=2_000_000_000)
    Ledger(engine).write(rig.entries(spent), [])
    engine.dispose()
    http, mail = Http(), MailServer()
    http.faults = [503]
    (tmp_path / "secret").write_text("hush")
    plan = tmp_path / "tidegate.yaml"
    plan.write_text(PLAN.format(hook=f"{http.url}/hook", mail=mail.port))

    def told(control: Started) -> list[str]:
        views = control.get("/api/notices")["notices"]
        assert isinstance(views, list)
        return [way["state"] for view in views for way in view["ways"]]

    with running(http, mail):
        for _ in range(2):
            control = Started(layout, plan)
            control.until(lambda: told(control) == ["delivered", "delivered"])  # noqa: B023
            control.process.send_signal(signal.SIGKILL)
            control.end()
            os.close(control.parent)
    (hook,) = http.taken
    (notice,) = msgspec.json.decode(hook.body)["notices"]
    assert notice["title"] == "Budget house (everything): 100 % is reached"
    assert (notice["topic"], notice["severity"]) == ("budget", "ticket")
    assert len(http.asked) == 2  # the first was not taken
    assert len(mail.taken) == 1
