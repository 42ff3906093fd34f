"""Prefix caches over the control API: sums for viewers and leads, comparisons for operators."""

from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.test_api_captured import CANARY, told
from tests.stores import rig
from tests.stores.said import captured

from tidegate.core import clock
from tidegate.stores import captures, database
from tidegate.stores.ledger import Ledger


def test_sums_are_of_the_window_and_the_route(room: Room, engine: Engine) -> None:
    now_s = clock.wall_s()
    usual = {"model_served": "m", "cache_read_tokens": 300, "prefix_saved_nanousd": 7}
    made = [rig.receipt(now_s - 60, route=it, **usual) for it in ("chat", "talk")]
    Ledger(engine).write(rig.entries(*made), [])
    page = room.ask("GET", "/api/prefixes?route=chat").json()
    [only] = page["prefixes"]
    assert (only["route"], only["read_tokens"], only["saved_nanousd"]) == ("chat", 300, 7)
    assert page["complete"] is True
    assert room.ask("GET", "/api/prefixes?since_s=1").json()["prefixes"] == []


def test_comparing_is_reading_and_quotes_nothing(room: Room, engine: Engine) -> None:
    now_s = clock.wall_s()
    said = '[{"role":"system","content":"%s %d. Be brief and be clear."}]'
    made = [captured(now_s - 60, n, messages=said % (CANARY, 100 + n)) for n in range(6)]
    with database.writing(engine) as connection:
        captures.store(connection, made, now_s)
    answer = room.ask("GET", "/api/prefixes/unstable?route=chat")
    [only] = answer.json()["unstable"]
    assert (only["found"]["kind"], only["found"]["compared"]) == ("number", 6)
    assert CANARY not in answer.text
    assert told(engine) == [f"6 from {made[0].receipt_id} to {made[5].receipt_id}"]
    nothing = room.ask("GET", "/api/prefixes/unstable?route=quiet").json()
    assert nothing["unstable"] == [] and len(told(engine)) == 1
