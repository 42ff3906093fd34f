"""Receipts over the API: the newest, what comes next, one, the worst, the sums."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code

from tidegate.core import clock
from tidegate.core.clock import IdSource
from tidegate.core.receipt import Attempt, Receipt, encode_frame
from tidegate.stores import retention
from tidegate.stores.ledger import Ledger

ids = IdSource()


def receipt(**given: object) -> Receipt:
    made = Receipt(ids.new(), clock.wall_s(), "gateway-0", "chat", route="chat", status=200)
    made.attempts = [Attempt("small", "one", 0.0)]
    for name, value in given.items():
        setattr(made, name, value)
    return made


def record(engine: Engine, *receipts: Receipt) -> list[str]:
    Ledger(engine).write([(r, encode_frame(r)[8:]) for r in receipts], [])
    return [r.id for r in receipts]


def test_a_tail_shows_the_newest_and_then_only_what_comes_next(room: Room, engine: Engine) -> None:
    first = record(engine, *sorted((receipt() for _ in range(3)), key=lambda r: r.id))
    page = room.ask("GET", "/api/receipts?limit=2").json()
    assert [r["id"] for r in page["receipts"]] == first[1:]
    second = record(engine, receipt(), receipt(route="other"))
    page = room.ask("GET", f"/api/receipts?after={page['cursor']}").json()
    assert [r["id"] for r in page["receipts"]] == second
    page = room.ask("GET", f"/api/receipts?after={page['cursor']}").json()
    assert page["receipts"] == []
    only = room.ask("GET", "/api/receipts?after=0&route=other").json()
    assert [r["id"] for r in only["receipts"]] == second[1:]


def test_a_tail_can_be_of_one_kind_of_answer(room: Room, engine: Engine) -> None:
    receipts = (
        receipt(validity="truncated"),
        receipt(model_refusal="full"),
        receipt(session_id="run-1"),
        receipt(session_id="run-1.judge"),
    )
    first, second, third, _ = record(engine, *receipts)
    for query, found in (
        ("validity=truncated", first),
        ("model_refusal=full", second),
        ("session_id=run-1", third),
    ):
        page = room.ask("GET", f"/api/receipts?{query}").json()
        assert [r["id"] for r in page["receipts"]] == [found]
    assert room.ask("GET", "/api/receipts?validity=odd").status_code == 400


def test_a_long_poll_ends_with_the_process(room: Room) -> None:
    room.desk.ending = True
    assert room.ask("GET", "/api/receipts?after=0&wait_s=30").json()["receipts"] == []


def test_one_receipt_by_its_id(room: Room, engine: Engine) -> None:
    (found,) = record(engine, receipt(cost_nanousd=5, attributes={"a": "b"}))
    answer = room.ask("GET", f"/api/receipts/{found}").json()
    assert (answer["cost_nanousd"], answer["attributes"]) == (5, {"a": "b"})
    assert error_code(room.ask("GET", "/api/receipts/none")) == "not_found"


@pytest.mark.parametrize(
    ("by", "worst"),
    [("slowest", [2, 0]), ("slowest_first_token", [1]), ("dearest", [0, 1]), ("failed", [3])],
)
def test_the_worst_of_a_window_leave_out_what_is_unknown(
    room: Room, engine: Engine, by: str, worst: list[int]
) -> None:
    made = record(
        engine,
        receipt(total_s=2.0, cost_nanousd=30),
        receipt(cost_nanousd=20, ttft_s=0.5),
        receipt(total_s=3.0),
        receipt(error_code="upstream_error", status=502),
    )
    found = room.ask("GET", f"/api/receipts/top?by={by}&limit=2").json()["receipts"]
    assert [r["id"] for r in found] == [made[n] for n in worst]


def test_the_sums_of_a_window_keep_unknown_apart_from_nothing(room: Room, engine: Engine) -> None:
    empty = room.ask("GET", "/api/receipts/summary").json()
    assert empty["sums"]["cost_nanousd"] is None
    assert empty["total_s"] == {"count": 0, "p50": None, "p95": None, "p99": None}
    record(engine, receipt(total_s=1.0, cost_nanousd=7), receipt(total_s=3.0))
    found = room.ask("GET", "/api/receipts/summary?since_s=60").json()
    assert found["sums"]["requests"] == 2
    assert found["sums"]["cost_nanousd"] == 7
    assert found["sums"]["cost_unknown"] == 1
    assert found["total_s"]["p50"] == 1.0
    assert room.ask("GET", "/api/receipts/summary?route=none").json()["sums"]["requests"] == 0


def test_the_sums_of_a_window_reach_past_what_is_kept(room: Room, engine: Engine) -> None:
    record(engine, receipt(cost_nanousd=7))
    retention.roll_off(engine, clock.wall_s() + 60)
    assert room.ask("GET", "/api/receipts").json()["receipts"] == []
    found = room.ask("GET", "/api/receipts/summary?since_s=3600").json()
    assert (found["sums"]["requests"], found["sums"]["cost_nanousd"]) == (1, 7)
    assert found["complete"]
    assert clock.wall_s() - 2 * 86_400 < found["days_from_s"] < clock.wall_s()
