"""`tidegate slo`."""

from collections.abc import Callable
from typing import Any

from click.testing import Result
from tests.cli.conftest import FakeControl

AT_S = 1_790_000_000.0


def tier(name: str, long_s: float, **given: Any) -> dict[str, Any]:
    known = {"severity": "page", "short_s": long_s / 12, "factor": 14.4, "lowered": False}
    burns = {"long_burn": None, "short_burn": None, "fires": False, "detect_s": 52.0}
    return {"name": name, "long_s": long_s, **known, **burns, **given}


def objective(sli: str, **given: Any) -> dict[str, Any]:
    tiers = [
        tier("fast", 3600.0, long_burn=21.04, fires=True),
        tier("medium", 21600.0, long_burn=3.5),
        tier("slow", 86400.0, long_burn=0.0),
        tier("long", 259200.0),
    ]
    known = {
        "target_percent": 99.9,
        "within_s": None,
        "per_output_token_s": 0.0,
        "judged": 1000,
        "bad": 3,
        "left": 0.25,
    }
    return {"sli": sli, **known, "state": "normal", "told": None, "tiers": tiers, **given}


def route(name: str, *objectives: dict[str, Any], **given: Any) -> dict[str, Any]:
    known = {"preset": "chat", "period_s": 2592000.0, "owner": "", "state": "normal", "why": "ok"}
    rest = {"absent": False, "review_wanted": None, "objectives": list(objectives)}
    return {"route": name, **known, **rest, **given}


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_status_shows_what_is_left_and_what_burns(
    run: Callable[..., Result], control: FakeControl
) -> None:
    slow = objective("ttft", within_s=3.0, told="page", left=None)
    turns = objective("turn_time", within_s=5.0, per_output_token_s=0.04)
    wanted = "an incident of ttft cost 23% of its error budget"
    told = {"state": "restricted", "why": "ttft burns", "review_wanted": wanted, "absent": True}
    control.answers["GET /api/slo"] = {
        "routes": [route("acme/chat", objective("availability"), slow, turns, **told)]
    }
    found = lines(run("slo", "status", "acme/chat"))
    assert found[0] == "acme/chat (chat): restricted; ttft burns"
    assert found[1] == f"{wanted}: `tidegate slo review acme/chat`"
    assert found[2] == "no requests come, where some should"
    assert found[3] == "OBJECTIVE GOOD REQUESTS BAD LEFT STATE 1H 6H 24H 3D ALERT"
    assert found[4] == "availability 99.9 % 1000 3 25 % normal 21! 3.5 0 - -"
    assert found[5] == "ttft 99.9 % in 3s 1000 3 - normal 21! 3.5 0 - page"
    assert found[6].startswith("turn_time 99.9 % in 5s + 40ms a token 1000 3 ")


def test_status_says_where_there_are_no_objectives(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/slo"] = {"routes": []}
    assert "no route has objectives" in run("slo", "status").output


def test_explain_shows_what_is_behind_the_worst_first(
    run: Callable[..., Result], control: FakeControl
) -> None:
    cause = {
        "name": "kv",
        "target": "small",
        "detail": "99% in use",
        "bad": 9,
        "share": 0.9,
    }
    excess = {"dimension": "target", "value": "small", "bad_share": 0.9, "share": 0.3}
    known = {"judged": 100, "bad": 10, "causes": [cause], "excesses": [excess]}
    control.answers["GET /api/slo/explain"] = {
        "route": "chat",
        "since_s": AT_S,
        "happened_since_s": AT_S - 3600,
        "happened": [
            {
                "at_s": AT_S - 60,
                "kind": "plan",
                "name": "version 7",
                "who": "ada\x1b[2J",
                "what": "routes chat",
            }
        ],
        "objectives": [
            {"sli": "turn_time", "burn": 2.0, "fires": False, **known},
            {"sli": "ttft", "burn": 20.0, "fires": True, **known},
            {"sli": "fallback", "burn": 0.0, "fires": False, **known, "bad": 0, "causes": []},
        ],
        "engines": [
            {
                "name": "engine_waiting",
                "unit": "requests",
                "scope": "small/r",
                "window_s": 10,
                "reading": {"type": "value", "value": 12.0},
            },
            {
                "name": "engine_queue_s",
                "unit": "seconds",
                "scope": "small/r",
                "window_s": 10,
                "reading": {"type": "no_data", "why": "stale"},
            },
        ],
    }
    found = lines(run("slo", "explain", "chat"))
    heads = [line for line in found if "were bad" in line]
    assert heads == [
        "ttft: 10 of 100 were bad, burns 20 times too fast",
        "turn_time: 10 of 100 were bad, burns 2 times too fast",
    ]
    assert "kv small 9 90 % 99% in use" in found
    assert "target small has 90 % of the bad requests, and 30 % of all" in found
    assert "small/r waiting 12 requests" in found
    assert "small/r queue_s unknown (stale)" in found
    assert found[-3:] == [
        "changed since 2026-09-21 13:13:20Z",
        "WHEN KIND NAME BY WHAT",
        "2026-09-21 14:12:20Z plan version 7 ada?[2J routes chat",
    ]


def test_a_review_is_sent(run: Callable[..., Result], control: FakeControl) -> None:
    said = {"route": "chat", "postmortem": "https://wiki/1", "follow_up": "two replicas"}
    control.answers["POST /api/slo/reviews"] = {**said, "at_s": AT_S, "author": "operator"}
    result = run(
        *("slo", "review", "chat", "--postmortem", "https://wiki/1"),
        *("--follow-up", "two replicas"),
    )
    assert lines(result) == ["chat: reviewed by operator at 2026-09-21 14:13:20Z"]
    assert run("slo", "review", "chat", "--postmortem", "x").exit_code == 2


def test_rules_are_printed_as_they_come(run: Callable[..., Result], control: FakeControl) -> None:
    control.answers["GET /api/slo/export"] = {"text": "groups: []\n"}
    assert run("slo", "export").output == "groups: []\n"
    assert run("slo", "export", "--for", "grafana").exit_code == 2
