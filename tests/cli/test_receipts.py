"""`tidegate receipts`."""

from collections.abc import Callable

import msgspec
from click.testing import Result
from tests.cli.conftest import FakeControl, refusal

from tidegate.cli.receipts import _GROUPS
from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.receipt import Attempt, Hold, Receipt

QUANTILES = {"count": 4, "p50": 0.1, "p95": 0.2, "p99": 0.3}
NESTED = ("attempts", "holds", "earlier_costs", "guardrails")
NONE = {"count": 0, "p50": None, "p95": None, "p99": None}
SUMS = {
    "requests": 4,
    "errors": 1,
    "interrupted": 0,
    "input_tokens": None,
    "cache_read_tokens": None,
    "cache_write_tokens": None,
    "output_tokens": None,
    "reasoning_tokens": None,
    "tokens_unknown": 0,
    "cost_nanousd": 2_000_000,
    "cost_unknown": 2,
}


def made(receipt_id: str, **given: object) -> Receipt:
    return Receipt(receipt_id, 0.0, "gateway-0", "chat", **given)  # type: ignore[arg-type]


def test_tail_follows_from_its_cursor_without_gap(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/receipts"] = [
        {"receipts": [made("one", route="chat", status=200)], "cursor": 7},
        {"receipts": [made("two")], "cursor": 8},
        refusal(503, "store_unavailable", "The database is away."),
    ]
    result = run("receipts", "tail", "-f", "--route", "chat")
    assert result.exit_code == 1
    assert [line.split()[2] for line in result.stdout.splitlines()] == ["one", "two"]
    assert [request.url.params.get("after") for request in control.asked] == [None, "7", "8"]
    assert "The database is away." in result.stderr


def test_show_prints_every_field_and_steers_no_terminal(
    run: Callable[..., Result], control: FakeControl
) -> None:
    receipt = made("abc-1", end_user="evil\x1b[2J", cost_nanousd=0, total_s=0.5)
    receipt.attempts = [Attempt("small", "one", 0.0, status=200)]
    receipt.earlier_costs = [EarlierCost(7, "large")]
    receipt.holds = [Hold("tokens", "team-a", 100, used=40)]
    control.answers["GET /api/receipts/abc-1"] = receipt
    result = run("receipts", "show", "ABC-1")
    assert result.exit_code == 0, result.output
    for name in Receipt.__struct_fields__:
        assert name in NESTED or f"  {name} " in result.stdout
    assert "attempt 1" in result.stdout
    assert "earlier cost 1" in result.stdout
    assert "hold 1\n  limit                  tokens" in result.stdout
    assert "\x1b" not in result.stdout
    assert "evil?[2J" in result.stdout


def test_the_groups_hold_every_field_once() -> None:
    named = [name for _, names in _GROUPS for name in names.split()]
    assert sorted([*named, *NESTED]) == sorted(Receipt.__struct_fields__)


def test_show_takes_only_what_can_be_an_id(run: Callable[..., Result]) -> None:
    assert run("receipts", "show", "../keys").exit_code == 2
    assert run("receipts", "show", "abc").exit_code == 1


def test_top_shows_the_worst_and_the_window_s_quantiles(
    run: Callable[..., Result], control: FakeControl
) -> None:
    control.answers["GET /api/receipts/summary"] = {
        "sums": SUMS,
        "ttft_s": NONE,
        "total_s": QUANTILES,
        "output_tokens_per_s": NONE,
        "complete": False,
        "days_from_s": 1_769_904_000.0,
    }
    control.answers["GET /api/receipts/top"] = {"receipts": [made("worst", total_s=9.0)]}
    result = run("receipts", "top", "--by", "dearest", "--since", "2h")
    assert result.exit_code == 0, result.output
    assert "worst" in result.stdout
    assert "100 ms" in result.stdout
    assert "4 requests, 1 failed, 0 interrupted, cost $0.002, 2 of unknown cost" in result.stdout
    assert "Only the newest receipts" in result.stdout
    assert "no longer kept are in the counts" in result.stdout
    assert "whole days from 2026-02-01 00:00:00Z" in result.stdout
    assert control.asked[1].url.params["since_s"] == "7200.0"
    assert control.asked[1].url.params["by"] == "dearest"


def test_shapes_are_what_control_sends() -> None:
    assert msgspec.json.decode(msgspec.json.encode(made("a", status=200)), type=Receipt)
