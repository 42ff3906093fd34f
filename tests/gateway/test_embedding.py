"""Embeddings of a target that has a wire of its own for them, by callers of OpenAI's."""

import base64
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.rig import Gateway, gateway, run, target
from tests.gateway.upstream import Upstream, whole

from tidegate.core.plan import Release, Route

PATH = "/v1/embeddings"
MADE: dict[str, Any] = {"embeddings": [{"values": [0.5, -1.25]}, {"values": [3, 0.1]}]}
USAGE = {"usageMetadata": {"promptTokenCount": 4}}
ASKED: dict[str, Any] = {"model": "small", "input": ["high", "low tide"]}


def gemini(port: int) -> Any:
    return target(port, dialect="gemini", model="gemini-embedding-001")


def dropping(port: int) -> dict[str, Route]:
    release = Release("r-1", gemini(port))
    return {"loose": Route("loose", release, drops_unsupported=True)}


def test_they_come_in_openais_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole({**MADE, **USAGE})) as up,
            gateway(tmp_path, gemini(up.port)) as it,
        ):
            reply = await it.ask(PATH, {**ASKED, "dimensions": 2, "user": "u-1"})
            assert reply.status == 200
            assert [row["embedding"] for row in reply.json["data"]] == [[0.5, -1.25], [3, 0.1]]
            assert reply.json["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
            assert reply.headers["x-tidegate-dropped"] == "user"
            sent = up.exchanges[0]
            assert sent.path == b"/v1/models/gemini-embedding-001:batchEmbedContents"
            assert [one["outputDimensionality"] for one in sent.json["requests"]] == [2, 2]
            packed = await it.ask(PATH, {**ASKED, "encoding_format": "base64"})
            rows = [base64.b64decode(row["embedding"]) for row in packed.json["data"]]
            assert rows[0] == struct.pack("<2f", 0.5, -1.25)
            one, _ = it.receipts()
            assert (one.endpoint, one.input_tokens, one.output_tokens) == ("embeddings", 4, None)
            assert not one.tokens_estimated
            assert one.cost_nanousd == 4_000

    run(main())


def test_tokens_that_nobody_told_are_counted_here(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(MADE)) as up, gateway(tmp_path, gemini(up.port)) as it:
            reply = await it.ask(PATH, ASKED)
            receipt = await it.receipt()
            assert receipt.tokens_estimated
            assert reply.json["usage"]["prompt_tokens"] == receipt.input_tokens
            assert receipt.input_tokens and receipt.input_tokens > 0

    run(main())


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"input": [1, 2]}, "invalid_parameter", "input"),
        ({"input": [[1, 2]]}, "invalid_parameter", "input"),
        ({"input": []}, "invalid_parameter", "input"),
        ({"input": ["a", ""]}, "invalid_parameter", "input"),
        ({"input": ["a"] * 101}, "invalid_parameter", "input"),
        ({"dimensions": "two"}, "invalid_parameter", "body"),
        ({"truncate": "END"}, "unsupported_parameter", "truncate"),
    ],
)
def test_what_it_cannot_take_is_refused_before_it_is_sent(
    tmp_path: Path, members: dict[str, Any], code: str, param: str
) -> None:
    async def main() -> None:
        async with Upstream(whole(MADE)) as up, gateway(tmp_path, gemini(up.port)) as it:
            reply = await it.ask(PATH, {**ASKED, **members})
            assert (reply.status, reply.code) == (400, code)
            assert reply.json["error"]["param"] == param
            assert up.exchanges == []

    run(main())


def test_by_the_rule_drop_what_has_no_place_is_left_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole({**MADE, **USAGE})) as up,
            gateway(tmp_path, gemini(up.port), routes=dropping(up.port)) as it,
        ):
            reply = await it.ask(PATH, {**ASKED, "model": "loose", "truncate": "END"})
            assert (reply.status, reply.headers["x-tidegate-dropped"]) == (200, "truncate")

    run(main())


@pytest.mark.parametrize(
    "made",
    [
        {"embeddings": MADE["embeddings"][:1]},
        {"embeddings": [{"values": [1e300]}, {"values": [1]}]},
        {"embeddings": "none"},
        b"<html>",
    ],
)
def test_an_answer_that_is_none_is_told(tmp_path: Path, made: Any) -> None:
    async def main() -> None:
        async with Upstream(whole(made)) as up, gateway(tmp_path, gemini(up.port)) as it:
            await malformed(it)

    run(main())


async def malformed(it: Gateway) -> None:
    reply = await it.ask(PATH, {**ASKED, "encoding_format": "base64"})
    assert (reply.status, reply.code) == (502, "upstream_malformed")
    assert (await it.receipt()).error_code == "upstream_malformed"


def test_bytes_of_openais_shape_pass_as_they_came(tmp_path: Path) -> None:
    async def main() -> None:
        body = b'{"object":"list","data":[],"usage":{"prompt_tokens":2,"total_tokens":2}}'
        async with Upstream(whole(body)) as up, gateway(tmp_path, target(up.port)) as it:
            asked = msgspec.json.encode({"model": "small", "input": [[1, 2]], "odd": 1})
            assert (await it.ask(PATH, asked)).body == body
            assert up.exchanges[0].json["odd"] == 1

    run(main())
