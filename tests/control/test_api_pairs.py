"""What a threshold is learnt of, over the control API."""

from typing import Any

from sqlalchemy import Engine
from tests.control.conftest import Room, error_code

from tidegate.core import clock
from tidegate.core.judged_hit import JudgedHit
from tidegate.stores import database, judged_hits

PLAN = """
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
routes:
  faq:
    target: {provider: mine, model: small, price: free}
    cache: {semantic: {target: 97%}}
"""


def hit(number: int, **fields: Any) -> JudgedHit:
    now_s = clock.wall_s()
    values: dict[str, Any] = {
        "receipt_id": f"r{number}",
        "assessed_as": "quality",
        "route": "faq",
        "tier": "semantic",
        "is_bad": False,
        "at_s": now_s,
        "started_at_s": now_s - 60 + number,
        "score": 0.9,
        "compared_by": "words-1",
        "is_same": True,
    }
    return JudgedHit(**(values | fields))


def test_only_pairs_of_which_somebody_knows_are_told(room: Room, engine: Engine) -> None:
    room.plan_file.write_text(PLAN)
    room.plans.start(1)
    several = [
        hit(1, is_same=False, is_bad=True, decides=False),
        hit(2, veto="numbers", given=False),
        hit(3, is_same=None),
        hit(4, tier="exact", score=None, is_same=None),
        hit(5, route="other"),
        hit(6, started_at_s=1.0),
        hit(7, assessed_as="thumbs_down"),
    ]
    with database.writing(engine) as connection:
        judged_hits.store(connection, several)
    page = room.ask("GET", "/api/cache/pairs?route=faq").json()
    assert page["target"] == 0.97
    assert [(it["is_same"], it["veto"], it["decides"]) for it in page["pairs"]] == [
        (False, None, False),
        (True, "numbers", True),
    ]
    assert {(it["score"], it["compared_by"]) for it in page["pairs"]} == {(0.9, "words-1")}
    other = room.ask("GET", "/api/cache/pairs?route=other").json()
    assert (len(other["pairs"]), other["target"]) == (1, None)
    assert error_code(room.ask("GET", "/api/cache/pairs")) == "invalid_request"
