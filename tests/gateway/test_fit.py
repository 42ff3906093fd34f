"""What cannot fit into a model's context is refused before it is sent."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import HELLO, gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.plan import Limit

LONG: dict[str, Any] = {**HELLO, "messages": [{"role": "user", "content": "hello there " * 200}]}


@pytest.mark.parametrize(
    ("body", "tokenizer", "status"),
    [
        (HELLO, None, 200),
        (LONG, "o200k", 200),
        ({**LONG, "max_tokens": 100}, "o200k", 400),
        ({**LONG, "max_tokens": 50}, "o200k", 200),
        (LONG, None, 200),
        ({**LONG, "messages": [{"role": "user", "content": "x" * 20_000}]}, None, 400),
        ({**HELLO, "max_tokens": 500}, "o200k", 400),
    ],
)
def test_prompt_and_ceiling_have_to_fit(
    tmp_path: Path, body: dict[str, Any], tokenizer: str | None, status: int
) -> None:
    async def main() -> None:
        to = {"context_tokens": 480, "tokenizer": tokenizer}
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port, **to)) as it:
            reply = await it.ask(body=body)
            assert reply.status == status, reply.body
            assert len(up.exchanges) == (status == 200)
            if status == 400:
                assert reply.code == "context_length_exceeded"
                assert "480 tokens" in reply.json["error"]["message"]

    run(main())


def test_a_bound_of_ours_is_lowered_to_what_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        budget = Limit("money", "spend", 10**12, unit="day")
        to = {"context_tokens": 480, "tokenizer": "o200k"}
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port, **to), limits=(budget,)) as it,
        ):
            assert (await it.ask(body=LONG)).status == 200
            assert 50 < up.exchanges[0].json["max_tokens"] < 100

    run(main())
