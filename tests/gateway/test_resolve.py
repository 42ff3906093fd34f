"""Which route serves, and what a route refuses before anybody works."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import gateway, run, target
from tests.gateway.upstream import Upstream

from tidegate.core.model_facts import ModelFacts
from tidegate.core.secret import SecretRef


def test_a_hosted_model_without_a_price_is_refused_unless_the_plan_allows_it(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with Upstream() as up:
            refused = target(up.port, "refused", dialect="openai", price=None)
            allowed = target(
                up.port, "allowed", dialect="openai", price=None, unpriced_allowed=True
            )
            own = target(up.port, "own", price=None)
            async with gateway(tmp_path, refused, allowed, own) as it:
                body = {"model": "refused", "messages": []}
                reply = await it.ask(body=body)
                assert (reply.status, reply.code) == (400, "unpriced_model")
                for name in ("allowed", "own"):
                    assert (await it.ask(body={**body, "model": name})).status == 200
                receipts = [await it.receipt(n) for n in (1, 2, 3)]
                assert [r.cost_nanousd for r in receipts] == [0, None, None]
                assert receipts[1].output_tokens == 5  # known tokens, unknown price

    run(main())


@pytest.mark.parametrize(
    ("serves", "path", "code"),
    [
        ("chat", "/v1/embeddings", "invalid_request"),
        ("chat", "/v1/rerank", "invalid_request"),
        ("chat", "/v1/chat/completions", ""),
        ("embeddings", "/v1/chat/completions", "invalid_request"),
        ("embeddings", "/v1/embeddings", ""),
        ("rerank", "/v1/embeddings", "invalid_request"),
        (None, "/v1/embeddings", ""),
    ],
)
def test_a_model_is_not_asked_for_what_it_is_not_for(
    tmp_path: Path, serves: Any, path: str, code: str
) -> None:
    async def main() -> None:
        async with Upstream() as up:
            it_is = target(up.port, facts=ModelFacts(serves=serves), dialect="openai_compatible")
            async with gateway(tmp_path, it_is) as it:
                said = {"messages": [], "input": "x", "query": "q", "documents": ["d"]}
                reply = await it.ask(path, {"model": "small", **said})
                assert len(up.exchanges) == (not code)
                if code:
                    assert (reply.status, reply.code) == (400, code)
                    assert "does not serve" in reply.json["error"]["message"]

    run(main())


def test_a_credential_that_is_not_set_spoils_its_route_and_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            (tmp_path / "secret").write_text("file-secret\n")
            targets = [
                target(up.port, "unset", credential=SecretRef(env="NOT_SET")),
                target(up.port, "broken", credential=SecretRef(env="BROKEN")),
                target(up.port, "lost", credential=SecretRef(file=str(tmp_path / "none"))),
                target(up.port, "named", credential=SecretRef(env="SET")),
                target(up.port, "filed", credential=SecretRef(file=str(tmp_path / "secret"))),
            ]
            environ = {"SET": "env-secret", "BROKEN": "two\nlines"}
            async with gateway(tmp_path, *targets, environ=environ) as it:
                for name, what in (("unset", "NOT_SET"), ("broken", "BROKEN"), ("lost", "none")):
                    reply = await it.ask(body={"model": name, "messages": []})
                    assert (reply.status, reply.code) == (503, "credential_missing")
                    assert reply.headers["x-should-retry"] == "false"
                    assert what.encode() in reply.raw
                    assert b"two" not in reply.raw
                for name, secret in (("named", b"env-secret"), ("filed", b"file-secret")):
                    assert (await it.ask(body={"model": name, "messages": []})).status == 200
                    assert up.exchanges[-1].header(b"authorization") == b"Bearer " + secret

    run(main())


def test_the_caller_s_key_and_headers_do_not_reach_the_provider(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            headers = {"authorization": f"Bearer {it.key}", "cookie": "c=1", "x-forwarded-for": "1"}
            assert (await it.ask(headers=headers)).status == 200
            [exchange] = up.exchanges
            assert it.key.encode() not in exchange.head + exchange.body
            assert exchange.header(b"cookie") is None
            assert exchange.header(b"x-forwarded-for") is None
            assert exchange.header(b"authorization") is None
            assert exchange.header(b"host") == f"127.0.0.1:{up.port}".encode()

    run(main())
