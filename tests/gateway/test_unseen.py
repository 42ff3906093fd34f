"""What a request of Responses brings along that nobody here can see, bounded all the same."""

from pathlib import Path
from typing import Any

import pytest
from tests.dialects.grammar import ask_of
from tests.gateway.limited import budget, limit
from tests.gateway.rig import gateway, run, target
from tests.gateway.upstream import Upstream, whole
from tests.providers.responses_wire import response

from tidegate.gateway.unseen import MOST_CONTEXT_TOKENS, has_hosted_tools, unseen_tokens

SEARCH = {"type": "web_search"}
OWN = [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]
RESPONSES = "/v1/responses"


def unseen(
    context_tokens: int | None = 5000, dialect: str = "openai_responses", **more: Any
) -> int:
    ask = ask_of({"model": "m", "input": "x", **more}, dialect)
    return unseen_tokens(ask, target(1, context_tokens=context_tokens))


@pytest.mark.parametrize(
    ("members", "tokens"),
    [
        ({}, 0),
        ({"tools": OWN}, 0),
        ({"tools": None, "previous_response_id": None, "prompt": None}, 0),
        ({"previous_response_id": "resp_1"}, 5000),
        ({"prompt": {"id": "p"}}, 5000),
        ({"tools": [*OWN, SEARCH]}, 5000),
        ({"tools": [{"type": 5}]}, 5000),
        ({"tools": [{"type": {}}]}, 5000),
        ({"tools": "odd"}, 5000),
    ],
)
def test_as_much_as_the_model_s_context_may_come_along(members: Any, tokens: int) -> None:
    assert unseen(**members) == tokens
    assert unseen(dialect="openai_chat", **members) == 0


def test_of_a_context_that_nobody_knows_the_largest_is_taken() -> None:
    assert unseen(None, prompt={"id": "p"}) == MOST_CONTEXT_TOKENS


def test_tools_that_the_caller_runs_bring_nothing_unseen() -> None:
    assert not has_hosted_tools(ask_of({"tools": OWN}, "openai_responses"))
    assert not has_hosted_tools(ask_of({"tools": [SEARCH]}))
    assert has_hosted_tools(ask_of({"tools": [SEARCH]}, "openai_responses"))


@pytest.mark.parametrize(
    ("members", "brings", "charged"),
    [
        ({"tools": [{"name": "f"}, {"type": "custom", "name": "g"}]}, False, False),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, False, False),
        ({"tools": [{"type": "memory_20250818", "name": "memory"}]}, False, False),
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, True, False),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, True, True),
        ({"tools": [{"type": "what_comes_next", "name": "x"}]}, True, True),
        ({"tools": [{"type": 5}]}, True, True),
        ({"tools": "odd"}, True, True),
        ({"mcp_servers": [{"type": "url"}]}, True, False),
        ({"mcp_servers": []}, False, False),
    ],
)
def test_what_anthropic_runs_itself(members: Any, brings: bool, charged: bool) -> None:
    ask = ask_of({"model": "m", "messages": [], **members}, "anthropic_messages")
    assert unseen_tokens(ask, target(1, context_tokens=5000)) == (5000 if brings else 0)
    assert has_hosted_tools(ask) == charged


def test_it_counts_against_a_limit_on_tokens(tmp_path: Path) -> None:
    async def main() -> None:
        to: dict[str, Any] = {"dialect": "openai", "context_tokens": 5000}
        most = limit("max_input_tokens", 1000)
        async with (
            Upstream(whole(response())) as up,
            gateway(tmp_path, target(up.port, **to), limits=(most,)) as it,
        ):
            body = {"model": "small", "input": "hi"}
            assert (await it.ask(RESPONSES, body)).status == 200
            reply = await it.ask(RESPONSES, {**body, "prompt": {"id": "p"}})
            assert (reply.code, reply.json["error"]["param"]) == ("input_too_long", "input")

    run(main())


def test_what_tools_of_the_provider_s_own_cost_is_in_no_budget(tmp_path: Path) -> None:
    async def main() -> None:
        for limits, status in (((budget(10**12),), 400), ((), 200)):
            async with (
                Upstream(whole(response())) as up,
                gateway(
                    tmp_path / str(status), target(up.port, dialect="openai"), limits=limits
                ) as it,
            ):
                body = {"model": "small", "input": "hi", "tools": [SEARCH]}
                reply = await it.ask(RESPONSES, body)
                assert reply.status == status
                if status == 400:
                    assert reply.json["error"]["param"] == "tools"
                else:
                    assert (await it.receipt()).cost_nanousd is None

    run(main())
