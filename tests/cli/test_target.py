"""`tidegate target`."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from tests.cli.conftest import FakeControl

PROBE = {"every_s": 30.0, "timeout_s": 10.0, "endpoint": "chat", "usd_per_hour": "0.1"}


def view(name: str, **given: Any) -> dict[str, Any]:
    unknown = dict.fromkeys(
        ("probe", "in_flight", "left_alone", "availability", "last_good_at_s", "ttft_s")
    )
    told = {"provider": "p", "model": "m", "routes": ["chat"], "parts_probed": 0, "parts_up": 0}
    return {"name": name, **unknown, **told, **given}


def test_targets_are_listed_with_what_probes_have_shown(
    run: Callable[..., Result], control: FakeControl
) -> None:
    probed = view(
        "small",
        probe=PROBE,
        in_flight=3,
        left_alone=1,
        parts_probed=4,
        parts_up=3,
        availability=0.987,
        last_good_at_s=1_790_000_000.0,
        ttft_s=0.123,
    )
    keyless = view("vertex", parts_probed=1, credential="missing")
    targets = [probed, view("large"), keyless]
    control.answers["GET /api/targets"] = {"targets": targets, "gateways": 1}
    result = run("target", "list")
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert lines[0].startswith("TARGET MODEL ROUTES IN FLIGHT LEFT ALONE PROBED UP LAST HOUR")
    assert lines[1] == ("small p/m chat 3 1 every 30 s 3 of 4 98.7 % 2026-09-21 14:13:20Z 123 ms")
    assert lines[2] == "large p/m chat - - no - - - -"
    assert lines[3] == "vertex p/m chat - - no no credential - - -"


def test_it_is_said_where_no_gateway_reports(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/targets"] = {"targets": [view("small")], "gateways": 0}
    assert "no gateway reports" in run("target", "list").output
