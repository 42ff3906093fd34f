"""The key that online work asks judges with: made when it is needed, gone when it is not."""

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
from tests.evals.asked import Say, saying
from tests.evals.online_room import Room, declared
from tests.gateway.rig import gateway, run
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream
from tests.stores.rig import entries, receipt

from tidegate.core import clock
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.grading import Answered
from tidegate.core.key import KeyRecord
from tidegate.evals.own_gateway import KEY_LIFE_S, NAME, NoGateway, OwnGateway
from tidegate.stores import audit, database, keys
from tidegate.stores.audit import Author
from tidegate.stores.keys import KeyFilter
from tidegate.stores.ledger import Ledger

JUDGED = DeclaredQuality(checks="[]", judge="small", most_usd_per_day=Decimal(2))
TURNS = (("user", "good?"),)


def _keys(room: Room) -> list[KeyRecord]:
    return sorted(keys.find(room.engine, KeyFilter()), key=lambda it: it.created_at_s)


@contextlib.asynccontextmanager
async def house(room: Room, say: Say = lambda _: "yes") -> AsyncIterator[Upstream]:
    """A gateway that knows the keys of the room's database."""
    async with Upstream(saying(say)) as up:
        folder = room.layout.state / "house"
        folder.mkdir()
        async with gateway(folder, at(up, "a"), routes=routed(at(up, "a"))) as open_:
            setattr(open_.store, "get", partial(keys.get, room.engine))  # noqa: B010
            host, port = open_.address
            (room.layout.run / "gateway.url").write_text(f"http://{host}:{port}\n")
            yield up


def test_a_judge_is_asked_with_a_key_that_may_do_that_alone_and_is_revoked(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED, more=JUDGED) as room:
            async with house(room) as up, OwnGateway(room.given) as own:
                assert not _keys(room)
                for _ in range(2):
                    async with own.judge("small") as judge:
                        assert await judge(TURNS, None) == ("yes", None)
                [made] = _keys(room)
                assert (made.name, made.purpose, made.routes) == (NAME, "eval", ("small",))
                assert made.limits is not None and made.limits.budget_nanousd == 4_000_000_000
                assert made.expires_at_s == pytest.approx(clock.wall_s() + KEY_LIFE_S, abs=60)
                assert len(up.exchanges) == 2
            [ended] = _keys(room)
            assert ended.revoked_at_s is not None
            with database.reading(room.engine) as connection:
                told = [(it.actor, it.what) for it in audit.recent(connection)]
            assert told == [(NAME, "key.revoke"), (NAME, "key.create")]

    run(main())


def test_what_the_plan_says_now_needs_another_key_and_who_asks_is_not_cut_off(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED) as room:
            async with house(room), OwnGateway(room.given) as own:
                async with own.judge("small") as judge:
                    dearer = msgspec.structs.replace(JUDGED, most_usd_per_day=Decimal(9))
                    room.declared = declared({"chat": dearer})
                    async with own.judge("small"):
                        before, after = _keys(room)
                    assert (before.revoked_at_s, after.revoked_at_s) == (None, None)
                    assert await judge(TURNS, None) == ("yes", None)
                before, after = _keys(room)
                assert before.revoked_at_s is not None and after.revoked_at_s is None

    run(main())


def test_a_key_that_somebody_revoked_is_replaced_and_not_again_and_again(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED) as room:
            (room.layout.run / "gateway.url").write_text("http://127.0.0.1:9\n")
            async with OwnGateway(room.given) as own:
                counts = []
                for why in ("unreachable", "revoked_api_key", "invalid_api_key", ""):
                    async with own.judge("small") as judge:
                        judge.note(Answered("", failure=f"{why}: the gateway's words"))
                    counts.append(len(_keys(room)))
                assert counts == [1, 1, 2, 2]

    run(main())


def test_keys_that_a_killed_control_left_are_revoked_and_nobody_elses(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED) as room:
            killed = OwnGateway(room.given)
            (room.layout.run / "gateway.url").write_text("http://127.0.0.1:9\n")
            async with killed.judge("small"):
                pass
            [left] = _keys(room)
            other = msgspec.structs.replace(left, id="other000", purpose="production")
            keys.create(room.engine, other, Author("ana", 1.0))
            async with OwnGateway(room.given):
                gone = {it.id: it.revoked_at_s is not None for it in _keys(room)}
            assert gone == {left.id: True, "other000": False}

    run(main())


def test_several_gateways_that_count_alone_are_given_a_key_without_a_budget(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED) as room:
            several = msgspec.structs.replace(room.declared.gateway, processes=2)
            room.declared = msgspec.structs.replace(room.declared, gateway=several)
            async with house(room), OwnGateway(room.given) as own, own.judge("small"):
                assert _keys(room)[0].limits is None

    run(main())


def test_without_an_address_of_the_gateway_nothing_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED) as room:
            async with OwnGateway(room.given) as own:
                with pytest.raises(NoGateway, match=r"control\.gateway_url"):
                    async with own.judge("small"):
                        pass
                far = "http://127.0.0.1:9"
                room.declared = declared({"chat": JUDGED}, gateway_url=far)
                async with own.judge("small") as judge:
                    text, why = await judge(TURNS, None)
                assert text is None and why is not None and why.startswith("unreachable")

    run(main())


def test_a_fresh_key_may_spend_what_those_before_it_left_of_the_day(tmp_path: Path) -> None:
    async def main() -> None:
        with Room(tmp_path, chat=JUDGED) as room:
            (room.layout.run / "gateway.url").write_text("http://127.0.0.1:9\n")
            for cost, left in ((1_500_000_000, 2_000_000_000), (900_000_000, 500_000_000), (0, 1)):
                async with OwnGateway(room.given) as own, own.judge("small"):
                    made = _keys(room)[-1]
                assert made.limits is not None and made.limits.budget_nanousd == left
                spent = receipt(clock.wall_s(), key_id=made.id, route="small", cost_nanousd=cost)
                Ledger(room.engine).write(entries(spent), [])

    run(main())
