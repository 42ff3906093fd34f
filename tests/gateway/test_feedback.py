"""Feedback is taken from whoever has a key, told apart from none, and bounded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.reply import Reply
from tests.gateway.rig import run
from tests.gateway.routed import at
from tests.gateway.spools import Kept, keeping
from tests.gateway.upstream import Upstream

from tidegate.core.clock import IdSource
from tidegate.core.outcome import Refusal
from tidegate.gateway.feedback import BURST, PER_S, Hearing
from tidegate.gateway.spool import Spool

ID = IdSource().new()


async def say(kept: Kept, body: Any, path: str = "/v1/feedback") -> Reply:
    return await kept.it.ask(path, body)


def heard(folder: Path, check: Callable[[Kept], Any]) -> None:
    async def main() -> None:
        async with Upstream() as up, keeping(folder, at(up, "a")) as kept:
            await check(kept)

    run(main())


def test_each_kind_is_kept_with_whose_key_said_it(tmp_path: Path) -> None:
    async def check(kept: Kept) -> None:
        said = {
            "request_id": ID,
            "rating": "down",
            "comment": "Wrong. I am anna@mail.example",
            "regenerated": True,
            "tags": ["wrong", "wrong", "tone"],
        }
        reply = await say(kept, said)
        assert reply.status == 202
        assert reply.json == {"object": "feedback", "request_id": ID}
        key_id = kept.it.key.split("_")[0].removeprefix("sk-tg-")
        found = {it.kind: it for it in kept.feedback()}
        assert found.keys() == {"rating", "comment", "regenerated", "tags"}
        assert {(it.receipt_id, it.key_id, it.team) for it in found.values()} == {
            (ID, key_id, "team-a")
        }
        assert found["rating"].rating == -1.0
        assert found["comment"].comment == "Wrong. I am [email]"
        assert found["tags"].tags == ("wrong", "tone")

    heard(tmp_path, check)


def test_ids_that_are_nobody_s_are_answered_as_others_are(tmp_path: Path) -> None:
    async def check(kept: Kept) -> None:
        own = (await kept.it.ask()).headers["x-request-id"]
        for request_id in (own, IdSource().new()):
            reply = await say(kept, {"request_id": request_id, "rating": 0.5}, "/feedback")
            assert reply.status == 202
            assert reply.json == {"object": "feedback", "request_id": request_id}

    heard(tmp_path, check)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b'{"request_id": 1, "request_id": 2}', "invalid_json"),
        ({"rating": "up"}, "invalid_parameter"),
        ({"request_id": "../../etc", "rating": "up"}, "invalid_parameter"),
        ({"request_id": ID}, "missing_parameter"),
        ({"request_id": ID, "comment": " ", "regenerated": False}, "missing_parameter"),
        ({"request_id": ID, "rating": "good"}, "invalid_parameter"),
        ({"request_id": ID, "rating": 1.5}, "invalid_parameter"),
        ({"request_id": ID, "comment": "x" * 4001}, "invalid_parameter"),
        ({"request_id": ID, "tags": [""]}, "invalid_parameter"),
        ({"request_id": ID, "rating": "up", "key_id": "other"}, "invalid_parameter"),
        ({"request_id": ID, "comment": "x" * 70_000}, "body_too_large"),
    ],
)
def test_what_is_no_feedback_is_refused(tmp_path: Path, body: Any, code: str) -> None:
    async def check(kept: Kept) -> None:
        assert (await say(kept, body)).code == code
        assert kept.feedback() == []

    heard(tmp_path, check)


def test_without_a_key_or_by_another_method_nothing_is_taken(tmp_path: Path) -> None:
    async def check(kept: Kept) -> None:
        body = {"request_id": ID, "rating": "up"}
        assert (await kept.it.ask("/v1/feedback", body, headers={})).status == 401
        reply = await kept.it.ask("/v1/feedback", method="GET")
        assert (reply.status, reply.headers["allow"]) == (405, "POST")
        assert kept.feedback() == []

    heard(tmp_path, check)


def test_what_cannot_be_kept_is_refused_and_may_be_said_again(tmp_path: Path) -> None:
    async def check(kept: Kept) -> None:
        kept.hearing.spool._max_bytes = 10
        reply = await say(kept, {"request_id": ID, "rating": "up"})
        assert (reply.status, reply.code) == (503, "ledger_unavailable")
        kept.it.world.hearing = None
        assert (await say(kept, {"request_id": ID, "rating": "up"})).status == 503

    heard(tmp_path, check)


def test_a_key_may_say_so_much_and_others_are_not_held_up(tmp_path: Path) -> None:
    hearing = Hearing(Spool(tmp_path, 1 << 20))
    for _ in range(BURST):
        hearing.admit("loud", 10.0)
    with pytest.raises(Refusal) as refused:
        hearing.admit("loud", 10.0)
    assert refused.value.retry_after_s == pytest.approx(1 / PER_S)
    hearing.admit("quiet", 10.0)
    hearing.admit("loud", 10.0 + 1 / PER_S)
    assert hearing.rate.refused == 1
