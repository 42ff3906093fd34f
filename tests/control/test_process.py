"""Control as a process: how it reloads, serves on and ends."""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.control.conftest import PLAN
from tests.control.started import Started


def test_it_reloads_on_a_signal_and_on_a_change_and_serves_on_when_killed(
    start: Callable[..., Started], plan_file: Path
) -> None:
    control = start()
    control.until(lambda: control.version() == 1)
    assert control.layout.plan.is_file()
    plan_file.write_text(PLAN.format(route="b"))
    control.process.send_signal(signal.SIGHUP)
    control.until(lambda: control.version() == 2)
    new = plan_file.with_suffix(".new")
    new.write_text(PLAN.format(route="c"))
    new.replace(plan_file)
    control.until(lambda: control.version() == 3)
    plan_file.write_text("routes: {a: nowhere}")
    control.until(lambda: bool(control.get("/api/plan")["problems"]))
    control.process.kill()
    control.process.wait()
    again = start()
    again.until(lambda: again.version() == 3)
    assert again.get("/api/plan")["problems"]
    again.process.terminate()
    status, said = again.end()
    assert status == 0
    assert "plan refused (start); version 3 serves on" in said
    assert "Traceback" not in said
