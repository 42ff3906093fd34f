"""Answers that a provider keeps: only whose they are goes on from them, where they are kept."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.attempted import in_turn
from tests.gateway.canaried import canaried
from tests.gateway.limited import limit
from tests.gateway.rig import Gateway, gateway, run, target
from tests.gateway.routed import at, routed
from tests.gateway.upstream import STREAM_HEAD, Exchange, Script, Upstream, chunk, whole
from tests.providers.responses_wire import CALL, chat, response

from tidegate.core.plan import Target
from tidegate.core.secret import SecretRef

RESPONSES = "/v1/responses"
ASKED: dict[str, Any] = {"model": "small", "input": "hi"}
OUTPUT = [{"type": "function_call_output", "call_id": "c1", "output": "4 m"}]


def to(*ups: Upstream) -> Target:
    """One target whose replicas these are."""
    targets = [target(up.port, dialect="openai") for up in ups]
    return replace(targets[0], replicas=tuple(one.replicas[0] for one in targets))


def said(**members: Any) -> Script:
    return whole(response(**members))


async def first(it: Gateway, **members: Any) -> str:
    """The id by which the caller goes on."""
    reply = await it.ask(RESPONSES, {**ASKED, **members})
    assert reply.status == 200, reply.raw
    told: str = reply.json["id"]
    return told


async def going_on(it: Gateway, id: Any, key: str | None = None, **members: Any) -> Any:
    headers = None if key is None else {"authorization": f"Bearer {key}"}
    body = {**ASKED, "previous_response_id": id, **members}
    return await it.ask(RESPONSES, body, headers)


def test_the_replica_that_keeps_it_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(said()) as one,
            Upstream(said()) as other,
            gateway(tmp_path, to(one, other)) as it,
        ):
            id = await first(it)
            assert id.startswith("resp_up-tg0-")
            kept = one if one.exchanges else other
            kept.script = said(id="resp_up2", previous_response_id="resp_up")
            for _ in range(6):
                reply = await going_on(it, id)
                assert reply.status == 200
                assert reply.json["previous_response_id"] == id
                assert reply.json["id"].startswith("resp_up2-tg0-")
            assert len(kept.exchanges) == 7
            assert kept.exchanges[-1].json["previous_response_id"] == "resp_up"
            receipt = await it.receipt(2)
            assert receipt.provider_request_id == "resp_up2"

    run(main())


def test_a_conversation_that_changes_its_arm_is_told_that_arms_prompt(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, Upstream(said()) as other:
            stable, coming = at(up, "a", dialect="openai"), at(other, "b", dialect="openai")
            routes = canaried(stable, coming, with_system_prompt="Be new.")
            async with gateway(tmp_path, stable, routes=routes) as it:
                id = await first(it)
                plan = it.world.plan
                assert plan is not None and plan.routes["small"].candidate is not None
                plan.routes["small"].candidate.weight = 1.0
                up.script = said(id="resp_2", previous_response_id="resp_up")
                reply = await going_on(it, id)
                assert reply.headers["x-tidegate-arm"] == "stable"
                assert "instructions" not in up.exchanges[-1].json
                assert (await it.ask(RESPONSES, ASKED)).headers["x-tidegate-arm"] == "canary"
                assert other.exchanges[-1].json["instructions"] == "Be new."

    run(main())


@pytest.mark.parametrize("next_one", [False, True])
def test_what_a_promotion_keeps_warm_goes_on_from_its_answers(
    tmp_path: Path, next_one: bool
) -> None:
    """Also while the next release is under way, which knows nothing of them."""

    async def main() -> None:
        async with Upstream(said()) as up, Upstream(said()) as new:
            old, promoted = at(up, "a", dialect="openai"), at(new, "b", dialect="openai")
            async with gateway(tmp_path / "before", old, routes=routed(old)) as it:
                id = await first(it)
            up.script = said(id="resp_2", previous_response_id="resp_up")
            routes = canaried(promoted, at(new, "c", dialect="openai"))
            if not next_one:
                routes = routed(promoted)
            routes = {"small": replace(routes["small"], kept_warm=(old,))}
            async with gateway(tmp_path / "after", promoted, routes=routes) as it:
                reply = await going_on(it, id)
                assert (reply.status, reply.headers["x-tidegate-target"]) == (200, "a"), reply.raw
                receipt = await it.receipt()
                assert receipt.release == "small@1" and receipt.arm in (None, "stable")

    run(main())


def test_in_a_stream_each_event_has_the_same_id(tmp_path: Path) -> None:
    data = chat('say "resp_up"')

    async def streaming(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + chunk(data) + b"0\r\n\r\n")

    async def main() -> None:
        async with Upstream(streaming) as up, gateway(tmp_path, to(up)) as it:
            reply = await it.ask(RESPONSES, {**ASKED, "stream": True})
            events = [msgspec.json.decode(one.split(b"data: ")[1]) for one in reply.events]
            ids = {one["response"]["id"] for one in events if "response" in one}
            assert len(ids) == 1
            [id] = ids
            assert reply.body == data.replace(b'"id":"resp_up"', b'"id":"%b"' % id.encode())
            up.script = said()
            assert (await going_on(it, id)).status == 200

    run(main())


def test_another_team_s_answer_is_nobody_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it:
            id = await first(it)
            others = it.store.add(team="team-b")
            mates = it.store.add(name="another")
            assert (await going_on(it, id, others)).status == 400
            assert (await going_on(it, id, mates)).status == 200
            assert len(up.exchanges) == 2

    run(main())


def test_an_id_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it:
            id = await first(it)
            own, _, seal = id.rpartition("-")
            odd = [
                *("resp_up", "", "resp_other-tg0-" + seal, f"{own}-{seal[:-1]}", f"{id}0"),
                *(
                    id.replace("-tg0-", "-tg1-"),
                    f"{own}-{seal.upper()}x",
                    id.replace("0", "\u0660"),
                ),
                *(5, ["x"], {}, id + "\n"),
            ]
            for told in odd:
                reply = await going_on(it, told)
                assert (reply.code, reply.json["error"]["param"]) == (
                    "invalid_parameter",
                    "previous_response_id",
                ), told
            assert len(up.exchanges) == 1
            assert (await going_on(it, None)).status == 200

    run(main())


def test_a_replica_that_is_gone_keeps_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, Upstream(said()) as other:
            async with gateway(tmp_path / "a", to(up)) as it:
                id = await first(it)
            async with gateway(tmp_path / "b", to(other)) as it:
                assert (await going_on(it, id)).code == "invalid_parameter"
            async with gateway(tmp_path / "c", to(other, up)) as it:
                # Another gateway, which has the same secret.
                assert (await going_on(it, id)).status == 200
            assert other.exchanges == []

    run(main())


def test_the_target_that_keeps_it_goes_on_and_nobody_in_its_place(tmp_path: Path) -> None:
    """Neither another of the route's targets nor a fallback."""

    async def main() -> None:
        async with Upstream(said()) as one, Upstream(said()) as other, Upstream(said()) as spare:
            a, b, c = (
                at(up, up_name, dialect="openai")
                for up, up_name in zip((one, other, spare), "abc", strict=True)
            )
            routes = routed(a, b, unavailable=(c,))
            async with gateway(tmp_path, a, routes=routes) as it:
                id = await first(it)
                kept = one if one.exchanges else other
                kept.script = said(id="resp_2")
                assert [(await going_on(it, id)).status for _ in range(5)] == [200] * 5
                assert len(kept.exchanges) == 6
                kept.script = whole({"error": {"message": "no"}}, 503)
                assert (await going_on(it, id)).status == 503
                assert len(kept.exchanges) == 8, "once more, after a pause"
                assert not any(up.exchanges for up in (one, other, spare) if up is not kept)

    run(main())


def test_the_credential_whose_account_keeps_it_goes_on(tmp_path: Path) -> None:
    """A pool of credentials is as many accounts."""

    async def main() -> None:
        keys = (SecretRef(env="A"), SecretRef(env="B"))
        async with Upstream(said()) as up:
            pool = replace(to(up), credential=keys[0], more_credentials=keys[1:])
            async with gateway(tmp_path, pool, environ={"A": "key-a", "B": "key-b"}) as it:
                ids = [await first(it) for _ in range(4)]
                assert len(set(ids)) == 2
                whose = [exchange.header(b"authorization") for exchange in up.exchanges]
                up.script = said(id="resp_2")
                for id, key in zip(ids, whose, strict=True):
                    assert (await going_on(it, id)).status == 200
                    assert up.exchanges[-1].header(b"authorization") == key

    run(main())


def test_an_answer_of_before_the_secret_changed_is_known(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it:
            id = await first(it)
            it.world.keys._peppers = {1: b"p" * 32, 2: b"q" * 32}
            assert (await going_on(it, id)).status == 200
            assert (await first(it)) != id
            it.world.keys._peppers = {1: b"p" * 32, 3: b"r" * 32}
            assert (await going_on(it, id)).status == 200

    run(main())


def test_what_is_not_kept_is_not_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it:
            id = await first(it)
            assert await first(it, store=False) == "resp_up"
            up.script = said(id="resp_2", previous_response_id="resp_up")
            reply = await going_on(it, id, store=False)
            assert (reply.json["id"], reply.json["previous_response_id"]) == ("resp_2", id)
            up.script = said(id='odd "id"')
            assert await first(it) == 'odd "id"'

    run(main())


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": "x"}, {"id": "msg_1"}]}, "input[1]"),
    ],
)
def test_what_is_kept_without_an_owner_is_refused(
    tmp_path: Path, members: dict[str, Any], param: str
) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it:
            reply = await it.ask(RESPONSES, {**ASKED, **members})
            assert (reply.code, reply.json["error"]["param"]) == ("unsupported_parameter", param)
            hidden = rb'{"model":"small","input":[{"type":"item\u005freference","id":"x"}]}'
            assert (await it.ask(RESPONSES, hidden)).status == 400
            assert up.exchanges == []

    run(main())


def test_what_asks_for_nothing_passes(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(said()) as up, gateway(tmp_path, to(up)) as it:
            body = {**ASKED, "background": False, "conversation": None, "input": [5]}
            assert (await it.ask(RESPONSES, body)).status == 200

    run(main())


def test_rounds_of_tool_calls_are_counted_over_answers_that_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        most = limit("tool_depth", 2)
        async with (
            Upstream(said(output=[CALL])) as up,
            gateway(tmp_path, to(up), limits=(most,)) as it,
        ):
            id = await first(it)
            for rounds in (1, 2):
                up.script = said(id=f"resp_{rounds}", output=[CALL])
                reply = await going_on(it, id, input=OUTPUT)
                assert reply.status == 200
                id = reply.json["id"]
                assert id.startswith(f"resp_{rounds}-tg{rounds}-")
            assert (await going_on(it, id, input=OUTPUT)).code == "turn_limit_exceeded"
            up.script = said(id="resp_3")
            reply = await going_on(it, id, input="thanks, go on")
            assert reply.json["id"].startswith("resp_3-tg0-")

    run(main())


def test_who_keeps_it_is_asked_again_and_nobody_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(said()) as one,
            Upstream(said()) as other,
            Upstream(said()) as more,
        ):
            targets = to(one, other), at(more, "b", dialect="openai")
            routes = routed(targets[0], unavailable=(targets[1],))
            async with gateway(tmp_path, *targets[:1], routes=routes) as it:
                id = await first(it)
                kept, idle = (one, other) if one.exchanges else (other, one)
                no = whole({"error": {"message": "busy"}}, 503)
                kept.script = in_turn(no, said())
                assert (await going_on(it, id)).status == 200
                kept.script = no
                assert (await going_on(it, id)).status == 503
                assert (len(kept.exchanges), len(idle.exchanges), len(more.exchanges)) == (5, 0, 0)

    run(main())
