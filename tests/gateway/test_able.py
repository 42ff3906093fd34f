"""What a model cannot take or do is refused before it is sent, or another that can is asked."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import HELLO, gateway, run, target
from tests.gateway.test_fit import LONG
from tests.gateway.upstream import Upstream, whole

from tidegate.core.model_facts import ModelFacts
from tidegate.core.plan import Release, Route, Share

IMAGE = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
PLAIN = ModelFacts(output_tokens=100, inputs=("text",), tools=False, json_schema=False)
TOOLS = [{"type": "function", "function": {"name": "f"}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}


def with_parts(*parts: Any) -> dict[str, Any]:
    return {**HELLO, "messages": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (HELLO, None),
        ({**HELLO, "tools": []}, None),
        ({**HELLO, "tools": TOOLS}, "tools"),
        ({**HELLO, "functions": [{"name": "f"}]}, "functions"),
        ({**HELLO, "response_format": {"type": "json_object"}}, None),
        ({**HELLO, "response_format": SCHEMA}, "response_format"),
        (with_parts({"type": "text", "text": "an image, a file and audio"}), None),
        (with_parts(IMAGE), "messages"),
        (with_parts(SOUND), "messages"),
    ],
    ids=lambda it: str(it)[:80],
)
def test_what_the_model_cannot_do_is_not_sent(
    tmp_path: Path, body: dict[str, Any], param: str | None
) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port, facts=PLAIN)) as it:
            reply = await it.ask(body=body)
            assert len(up.exchanges) == (param is None)
            if param is not None:
                assert (reply.status, reply.code) == (400, "unsupported_parameter"), reply.body
                assert reply.json["error"]["param"] == param
                assert "served-model" in reply.json["error"]["message"]

    run(main())


def test_nothing_is_refused_for_what_nobody_knows(tmp_path: Path) -> None:
    async def main() -> None:
        unknown = ModelFacts(inputs=("text",), more_inputs=True)
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port, facts=unknown)) as it:
            for body in (with_parts(IMAGE), {**HELLO, "tools": TOOLS, "response_format": SCHEMA}):
                assert (await it.ask(body=body)).status == 200

    run(main())


def test_another_of_the_pool_that_can_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as blind, Upstream(whole()) as sees:
            able = target(sees.port, "sees", facts=ModelFacts(inputs=("text", "image")))
            blinded = target(blind.port, facts=PLAIN)
            shares = (Share(able, 1e-9),)
            route = Route("small", Release("r", blinded, others=shares))
            async with gateway(tmp_path, blinded, routes={"small": route}) as it:
                assert (await it.ask(body=with_parts(IMAGE))).status == 200
                assert (len(blind.exchanges), len(sees.exchanges)) == (0, 1)

    run(main())


@pytest.mark.parametrize("context_tokens", [None, 4000])
@pytest.mark.parametrize(("asked", "sent"), [(50, 50), (100, 100), (5000, 100), (None, None)])
def test_a_ceiling_beyond_the_model_s_is_its_own(
    tmp_path: Path, asked: int | None, sent: int | None, context_tokens: int | None
) -> None:
    async def main() -> None:
        to = {"facts": PLAIN, "context_tokens": context_tokens}
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port, **to)) as it:
            body = HELLO if asked is None else {**HELLO, "max_tokens": asked}
            assert (await it.ask(body=body)).status == 200
            assert up.exchanges[0].json.get("max_tokens") == sent

    run(main())


def test_context_is_checked_too(tmp_path: Path) -> None:
    async def main() -> None:
        to = {"context_tokens": 100, "tokenizer": "o200k", "facts": PLAIN}
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port, **to)) as it:
            reply = await it.ask(body=LONG)
            assert reply.code == "context_length_exceeded"
            assert reply.json["error"]["message"].endswith("tokens: shorten the prompt")

    run(main())
