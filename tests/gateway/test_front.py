"""The paths of port 4000, and what stands at none of them."""

from pathlib import Path

import pytest
from tests.gateway.rig import CHAT, HELLO, gateway, run, target
from tests.gateway.upstream import Upstream, whole

EMBEDDED = {"object": "list", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 3}}
TEXT = {"choices": [{"text": "x", "finish_reason": "stop"}]}


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_every_endpoint_stands_with_and_without_v1(tmp_path: Path, prefix: str) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask(f"{prefix}/chat/completions")).status == 200
            up.script = whole(TEXT)
            reply = await it.ask(f"{prefix}/completions", {"model": "small", "prompt": "x"})
            assert reply.status == 200
            up.script = whole(EMBEDDED)
            reply = await it.ask(f"{prefix}/embeddings", {"model": "small", "input": ["x"]})
            assert reply.status == 200
            assert [e.path for e in up.exchanges] == [
                b"/v1/chat/completions",
                b"/v1/completions",
                b"/v1/embeddings",
            ]
            assert (await it.ask(f"{prefix}/models", method="GET")).status == 200
            receipt = await it.receipt(3)
            assert (receipt.endpoint, receipt.input_tokens) == ("embeddings", 3)
            assert receipt.output_tokens is None

    run(main())


def test_models_are_those_that_the_key_may_use(tmp_path: Path) -> None:
    async def main() -> None:
        targets = [target(1, name) for name in ("small", "large", "meta/llama-3.1")]
        async with gateway(tmp_path, *targets) as it:
            key = it.store.add(routes=("small", "meta/llama-3.1", "gone"))
            headers = {"x-api-key": key}
            listed = (await it.ask("/v1/models", headers=headers, method="GET")).json
            assert listed["object"] == "list"
            assert [m["id"] for m in listed["data"]] == ["small", "meta/llama-3.1"]
            for name, status in (
                ("small", 200),
                ("meta/llama-3.1", 200),
                ("large", 404),
                ("gone", 404),
                ("", 404),
            ):
                reply = await it.ask(f"/models/{name}", headers=headers, method="GET")
                assert reply.status == status
                if status == 404:
                    assert reply.code == "model_not_found"

    run(main())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/chat/completions",
        "/v1/chat/completions/",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/./chat/completions",
        "/v1/../v1/chat/completions",
        "/v1/chat/completions%00",
        "/v1/%63hat/completions",
        "/v1/chat%2fcompletions",
        "/V1/CHAT/COMPLETIONS",
        "/v1/chat/completions;x=1",
        "/v1/chat/..;/completions",
        "/v1/chat\\completions",
        "/metrics",
        "/api/keys",
        "/docs",
        "/openapi.json",
        "/.env",
        "/health",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_tricks_with_paths_find_nothing(tmp_path: Path, path: str, method: str) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(path, method=method)
            assert reply.status in (400, 404)
            assert reply.code in ("not_found", "invalid_http")
            assert path == "/" or path.encode() not in reply.raw
            assert not up.exchanges

    run(main())


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("PUT", CHAT, "POST"),
        ("DELETE", CHAT, "POST"),
        ("OPTIONS", CHAT, "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/small", "GET, HEAD"),
        ("POST", "/livez", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_told_which_it_does(
    tmp_path: Path, method: str, path: str, allowed: str
) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            reply = await it.ask(path, method=method)
            assert (reply.status, reply.code) == (405, "method_not_allowed")
            assert reply.headers["allow"] == allowed
            assert "x-request-id" in reply.headers

    run(main())


@pytest.mark.parametrize("path", ["/livez", "/health/liveliness", "/readyz", "/health/readiness"])
def test_health_needs_no_key_and_says_nothing(tmp_path: Path, path: str) -> None:
    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            reply = await it.ask(path, headers={}, method="GET")
            assert (reply.status, len(reply.body)) == (200, len(reply.body.strip()) + 1)
            assert reply.body.strip() in (b"ok", b"ready")
            head = await it.ask(path, headers={}, method="HEAD")
            assert (head.status, head.body) == (200, b"")

    run(main())


def test_without_a_plan_it_lives_and_is_not_ready(tmp_path: Path) -> None:
    async def main() -> None:
        async with gateway(tmp_path) as it:
            assert (await it.ask("/livez", headers={}, method="GET")).status == 200
            for reply in (await it.ask(), await it.ask("/readyz", method="GET")):
                assert (reply.status, reply.code) == (503, "no_plan")
                assert reply.headers["retry-after"] == "1"
            assert not it.receipts()

    run(main())


def test_draining_it_is_not_ready_and_closes_after_each_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            it.world.listener.draining = True
            reply = await it.ask("/readyz", method="GET")
            assert (reply.status, reply.code) == (503, "draining")
            reader, writer = await it.connect()
            writer.write(it.request(close=False))
            assert b"connection: close" in await reader.read()
            writer.transport.abort()

    run(main())


def test_a_model_nobody_has_and_one_that_the_key_may_not_use(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(body={**HELLO, "model": "none<script>"})
            assert (reply.status, reply.code) == (404, "model_not_found")
            assert b"script" not in reply.raw
            key = it.store.add(routes=("large",))
            reply = await it.ask(headers={"x-api-key": key})
            assert (reply.status, reply.code) == (403, "route_not_allowed")
            assert not up.exchanges
            receipts = [await it.receipt(1), await it.receipt(2)]
            assert [r.status for r in receipts] == [404, 403]
            assert [r.cost_nanousd for r in receipts] == [0, 0]

    run(main())


def test_a_model_s_name_may_come_percent_encoded(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port, "org/m")) as it:
            for path, status in (
                ("/v1/models/org%2Fm", 200),
                ("/v1/models/org/m", 200),
                ("/v1/models/%ff", 404),
                ("/v1%2Fmodels/org/m", 404),
            ):
                assert (await it.ask(path, method="GET")).status == status, path

    run(main())
