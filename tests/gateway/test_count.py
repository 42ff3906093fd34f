"""How many tokens a conversation has, by its target's own word or by ours; it costs nothing."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import HELLO, gateway, run, target
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, whole

from tidegate.core.plan import Limit

COUNT = "/v1/messages/count_tokens"
LONG = {**HELLO, "messages": [{"role": "user", "content": "word " * 20_000}]}


def test_a_target_of_the_same_wire_says_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole({"input_tokens": 14})) as up:
            anthropic = target(up.port, dialect="anthropic")
            limit = Limit("money", "spend", 10**12, unit="day")
            async with gateway(tmp_path, anthropic, limits=(limit,)) as it:
                reply = await it.ask(COUNT, HELLO)
                assert reply.json == {"input_tokens": 14}
                sent = up.exchanges[0]
                assert sent.path == b"/v1/messages/count_tokens"
                assert sent.json == {**HELLO, "model": "served-model"}
                receipt = await it.receipt()
                assert (receipt.endpoint, receipt.cost_nanousd) == ("count_tokens", 0)
                assert receipt.input_tokens is None
                assert [hold.used for hold in receipt.holds] == [0]

    run(main())


def test_the_routes_own_prompt_counts_and_its_parameters_have_no_place(tmp_path: Path) -> None:
    async def main() -> None:
        added: dict[str, Any] = {
            "system_prompt": "Be kind. " * 100,
            "parameters": (("stop", '"END"'), ("temperature", "0.2")),
        }
        async with Upstream(whole({"input_tokens": 14})) as up:
            there, here = target(up.port, dialect="anthropic"), target(up.port)
            async with gateway(tmp_path / "there", there, routes=routed(there, **added)) as it:
                assert (await it.ask(COUNT, HELLO)).json == {"input_tokens": 14}
                sent = {**HELLO, "model": "served-model", "system": added["system_prompt"]}
                assert up.exchanges[0].json == sent
            async with gateway(tmp_path / "here", here, routes=routed(here, **added)) as it:
                assert (await it.ask(COUNT, HELLO)).json["input_tokens"] >= 200

    run(main())


@pytest.mark.parametrize(("asked", "least"), [(HELLO, 1), (LONG, 15_000)])
def test_of_any_other_target_it_is_counted_here(
    tmp_path: Path, asked: dict[str, Any], least: int
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(COUNT, {**asked, "stream": True})
            assert reply.status == 200
            assert least <= reply.json["input_tokens"] <= 40_000
            assert reply.headers["x-tidegate-tokens"] == "estimated"
            assert up.exchanges == []
            assert it.receipts() == []

    run(main())


def test_a_no_is_told_in_the_caller_s_wire(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole(b"[]")) as up,
            gateway(tmp_path, target(up.port, dialect="anthropic")) as it,
        ):
            for body, headers, status, kind in (
                ({**HELLO, "model": "none"}, None, 404, "not_found_error"),
                (HELLO, {}, 401, "authentication_error"),
                (HELLO, None, 502, "api_error"),
            ):
                reply = await it.ask(COUNT, body, headers)
                assert (reply.status, reply.json["error"]["type"]) == (status, kind)

    run(main())


@pytest.mark.parametrize("path", ["/v1/responses/input_tokens", "/responses/input_tokens"])
def test_responses_are_counted_here(tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port, dialect="openai")) as it:
            reply = await it.ask(path, {"model": "small", "input": "word " * 100})
            assert reply.status == 200
            assert reply.json["object"] == "response.input_tokens"
            assert 90 < reply.json["input_tokens"] < 200
            assert reply.headers["x-tidegate-tokens"] == "estimated"
            assert up.exchanges == []

    run(main())


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "prompt"])
def test_what_is_not_here_is_not_counted(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port, dialect="openai")) as it:
            asked = {"model": "small", "input": "x", name: "resp_1"}
            reply = await it.ask("/v1/responses/input_tokens", asked)
            assert (reply.status, reply.code) == (400, "unsupported_parameter")
            assert reply.json["error"]["param"] == name

    run(main())


def test_how_fast_tokens_are_counted_says_nothing_of_how_fast_one_answers(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole({"input_tokens": 14})) as up:
            anthropic = at(up, "a", dialect="anthropic")
            routes = routed(anthropic, balance="fastest")
            async with gateway(tmp_path, anthropic, routes=routes) as it:
                assert (await it.ask(COUNT, HELLO)).json == {"input_tokens": 14}
                assert it.world.plan is not None
                assert it.world.plan.routes["small"].target.pace.whole_s is None

    run(main())
