"""From a request to the operators' table and back: whose it is stays whose it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from tests.gateway.rig import HELLO, Gateway, run
from tests.gateway.routed import at
from tests.gateway.spools import Kept, keeping
from tests.gateway.upstream import Upstream, whole
from tests.stores import rig

from tidegate.control.online import Given
from tidegate.core import clock
from tidegate.core.capture import Captured
from tidegate.core.declared import Declared
from tidegate.core.declared_capture import DeclaredCapture
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.evals.follow_ups import GRACE_S, FollowUps
from tidegate.prompts.reading import Reading
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.record.spools import Spools
from tidegate.stores import captures, database, feedback
from tidegate.stores.captures import Which
from tidegate.stores.feedback import Heard
from tidegate.stores.schema_assessed import assessments
from tidegate.text.follow_up import WINDOW_S

READ = (
    "/v1/models",
    "/v1/usage",
    "/v1/feedback",
    "/v1/captured",
    "/v1/prompts/x",
    "/v1/responses/",
)


class Recorded:
    """A gateway that captures, and the store behind it."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.it: Gateway = kept.it
        self.engine: Engine = rig.migrated(kept.it.layout.ledger_db)
        self._recorder = Recorder(kept.it.layout, self.engine, Metrics())
        self._spools = Spools(kept.it.layout, self.engine)

    def record(self) -> None:
        """All that was written is in the store."""
        self.kept.captures.spool.sweep(float("inf"))
        self.kept.hearing.spool.sweep(float("inf"))
        self._recorder.drain()
        self._spools._attach_at_s = float("-inf")
        self._spools.step()

    def captured(self) -> list[Captured]:
        with database.reading(self.engine) as connection:
            return captures.newest(connection, Which(), 0.0)

    def heard(self) -> list[Heard]:
        with database.reading(self.engine) as connection:
            return feedback.newest(connection, feedback.Which())

    def close(self) -> None:
        self._recorder.close()
        self.engine.dispose()


def recorded(folder: Path, check: Callable[[Recorded], Any]) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, keeping(folder, at(up, "a")) as kept:
            made = Recorded(kept)
            try:
                await check(made)
            finally:
                made.close()

    run(main())


def said(canary: str) -> dict[str, Any]:
    return {**HELLO, "messages": [{"role": "user", "content": canary}]}


def test_what_one_tenant_said_no_other_s_key_reads(tmp_path: Path) -> None:
    async def check(made: Recorded) -> None:
        keys = {name: made.it.store.add(team=name, customer=name) for name in ("acme", "beta")}
        ids = {}
        for name, key in keys.items():
            headers = {"authorization": f"Bearer {key}"}
            reply = await made.it.ask(body=said(f"canary-{name}"), headers=headers)
            ids[name] = reply.headers["x-request-id"]
        await made.kept.settled(2)
        made.record()
        assert {it.customer: it.receipt_id for it in made.captured()} == ids
        assert all(f"canary-{it.customer}" in it.messages for it in made.captured())
        for name, other in (("acme", "beta"), ("beta", "acme")):
            headers = {"authorization": f"Bearer {keys[name]}"}
            for path in (*READ, f"/v1/feedback/{ids[other]}", f"/v1/responses/{ids[other]}"):
                reply = await made.it.ask(path, headers=headers, method="GET")
                assert b"canary" not in reply.raw
            about = {"request_id": ids[other], "rating": "down", "comment": "canary-mine"}
            reply = await made.it.ask("/v1/feedback", about, headers)
            assert (reply.status, b"canary" in reply.raw) == (202, False)

    recorded(tmp_path, check)


def test_only_the_key_that_asked_is_heard_of_its_request(tmp_path: Path) -> None:
    async def check(made: Recorded) -> None:
        request_id = (await made.it.ask()).headers["x-request-id"]
        thief = {"authorization": f"Bearer {made.it.store.add()}"}
        about = {"request_id": request_id, "rating": "down", "comment": "forged"}
        replies = [await made.it.ask("/v1/feedback", about, it) for it in (thief, None)]
        assert replies[0].body == replies[1].body  # neither learns whose it is
        made.record()
        [rating] = [it for it in made.heard() if it.kind == "rating"]
        assert (rating.receipt_id, rating.route, rating.target) == (request_id, "small", "a")
        assert rating.key_id in made.it.key
        assert {it.key_id for it in made.heard()} == {rating.key_id}

    recorded(tmp_path, check)


def test_who_had_to_ask_again_is_told_from_what_went_over_the_wire(tmp_path: Path) -> None:
    async def check(made: Recorded) -> None:
        first = said("What is the capital of Australia?")
        reply = await made.it.ask(body=first)
        wrong, answer = reply.headers["x-request-id"], reply.json["choices"][0]["message"]
        again = {"role": "user", "content": "No, that is wrong."}
        after = {**first, "messages": [*first["messages"], answer, again]}
        content = (await made.it.ask(body=after)).headers["x-request-id"]
        other = (await made.it.ask(body=said("And of Austria, please?"))).headers["x-request-id"]
        await made.it.ask("/v1/feedback", {"request_id": other, "rating": "down"})
        await made.kept.settled(3)
        made.record()
        quality = DeclaredRoute(capture=DeclaredCapture(1.0), quality=DeclaredQuality())
        given = Given(
            made.it.layout,
            made.engine,
            declared=lambda: Declared(routes={"small": quality}),
            leads=lambda: True,
            digest=lambda _: (b"", 0),
            prompts=Reading(),
            plan_folder=tmp_path,
        )
        later_s = clock.wall_s() + WINDOW_S + GRACE_S + 5
        await FollowUps(given, wall_s=lambda: later_s).step()
        with database.reading(made.engine) as connection:
            found = connection.execute(assessments.select()).all()
        assert {(it.receipt_id, it.assessed_as, it.is_bad) for it in found} == {
            (wrong, "follow_up", True),
            (content, "follow_up", False),
            (other, "follow_up", True),
            (other, "thumbs_down", True),
        }

    recorded(tmp_path, check)
