"""`tidegate key`."""

from collections.abc import Callable

import httpx2
from click.testing import Result
from tests.cli.conftest import FakeControl

from tidegate.core import clock
from tidegate.core.key import id_of

KEY = "sk-tg-abcdefgh_" + "x" * 32
VIEW = {
    "id": "abcdefgh",
    "name": "app",
    "team": "house",
    "customer": None,
    "environment": None,
    "purpose": "production",
    "priority": "standard",
    "routes": ["chat"],
    "attributes": {},
    "created_at_s": 0.0,
    "expires_at_s": None,
    "revoked_at_s": None,
    "state": "live",
    "pepper_version": 3,
}


def made(**more: object) -> dict[str, object]:
    return {"key": KEY, "record": VIEW, "replaces": None, "waiting_for": [], **more}


def test_create_prints_the_key_alone_on_stdout(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/keys"] = made(waiting_for=["gateway-1"])
    result = run(
        *("key", "create", "--name", "app", "--team", "house", "--route", "chat"),
        *("--expires", "90d", "--attribute", "a=b", "--customer", "c"),
        *("--priority", "interactive"),
    )
    assert result.stdout == KEY + "\n"
    assert "Not yet obeyed by gateway-1" in result.stderr
    (body,) = control.bodies()
    assert isinstance(body, dict)
    expires_at_s = body.pop("expires_at_s")
    assert abs(expires_at_s - clock.wall_s() - 90 * 86400) < 100
    assert body == {
        "name": "app",
        "team": "house",
        "routes": ["chat"],
        "customer": "c",
        "priority": "interactive",
        "attributes": {"a": "b"},
    }


def test_what_is_not_said_is_left_to_the_plan(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/keys"] = made()
    run("key", "create", "--name", "app")
    run("key", "create", "--name", "app", "--never-expires")
    assert control.bodies() == [{"name": "app"}, {"name": "app", "expires_at_s": None}]


def test_list_follows_every_page(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["GET /api/keys"] = [
        {"keys": [VIEW], "after": "abcdefgh"},
        {"keys": [{**VIEW, "id": "zzzzzzzz"}], "after": None},
    ]
    result = run("key", "list", "--team", "house")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "ID",
        "STATE",
        "NAME",
        "TEAM",
        "ROUTES",
        "CREATED",
        "EXPIRES",
        "PEPPER",
    ]
    assert [line.split()[0] for line in lines[1:]] == ["abcdefgh", "zzzzzzzz"]
    assert control.asked[0].url.params["revoked"] == "false"
    assert control.asked[1].url.params["after"] == "abcdefgh"


def test_revoke_takes_the_id_or_the_whole_key(
    run: Callable[..., Result], control: FakeControl
) -> None:
    answer = {"record": {**VIEW, "state": "revoked"}, "waiting_for": []}
    control.answers["POST /api/keys/abcdefgh/revoke"] = answer
    for given in ("abcdefgh", KEY):
        assert run("key", "revoke", given).stdout == "Revoked abcdefgh (app).\n"
    assert all(KEY not in str(request.url) for request in control.asked)
    foreign = id_of(b"sk-from-elsewhere")
    control.answers[f"POST /api/keys/{foreign}/revoke"] = answer
    for given in (foreign, "sk-from-elsewhere"):
        assert run("key", "revoke", given).exit_code == 0
    assert run("key", "revoke", "../x").exit_code == 2
    assert run("key", "revoke", "nothere1").exit_code == 1


def test_rotate_says_what_it_replaces(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["POST /api/keys/abcdefgh/rotate"] = made(replaces="abcdefgh")
    result = run("key", "rotate", "abcdefgh", "--overlap", "1h")
    assert result.stdout == KEY + "\n"
    assert "in place of abcdefgh" in result.stderr
    run("key", "rotate", "abcdefgh")
    assert control.bodies() == [{"overlap_s": 3600.0}, {"overlap_s": 0.0}]


def test_control_that_is_away_is_one_line(run: Callable[..., Result], control: FakeControl) -> None:
    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    control.answer = away  # type: ignore[method-assign]
    result = run("key", "list")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: control does not answer at")
    assert result.stderr.count("\n") == 1


def test_a_new_pepper_is_named_and_not_shown(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/peppers"] = {"version": 2, "file": "/state/pepper.2"}
    result = run("key", "pepper")
    assert result.exit_code == 0
    assert result.stdout == ("Made /state/pepper.2; keys made from now on are under pepper 2.\n")


def test_list_says_under_which_pepper_a_key_is(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/keys"] = {"keys": [VIEW], "after": None}
    head, row = run("key", "list").stdout.splitlines()
    assert (head.split()[-1], row.split()[-1]) == ("PEPPER", "3")


def test_a_key_is_asked_for_with_limits_of_its_own(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["POST /api/keys"] = made()
    limits = ("--budget", "$12.5", "--budget-per", "month", "--rpm", "60", "--parallel", "4")
    alerts = ("--budget-alert", "50", "--budget-alert", "90", "--budget-soft", "--budget-degrade")
    assert run("key", "create", "--name", "app", *limits, *alerts).exit_code == 0
    assert control.bodies() == [
        {
            "name": "app",
            "limits": {
                "budget": "12.5",
                "budget_per": "month",
                "requests_per_minute": 60,
                "max_parallel_requests": 4,
                "budget_alerts": [50, 90],
                "budget_hard": False,
                "budget_degrade": True,
            },
        }
    ]
