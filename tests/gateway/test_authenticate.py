"""Every carrier of a key, and every way in which a key is no good."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import gateway, run, target
from tests.gateway.upstream import Upstream

from tidegate.core import clock

OTHER = "sk-tg-aaaaaaaa_" + "b" * 32


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": "Bearer {key}"}, None),
        ({"authorization": "bearer {key}"}, None),
        ({"authorization": "Bearer  {key} "}, None),
        ({"x-api-key": "{key}"}, None),
        ({"api-key": "{key}"}, None),
        ({"x-api-key": "{key}", "authorization": "Bearer {key}"}, None),
        ({"x-api-key": OTHER, "authorization": "Bearer {key}"}, "invalid_api_key"),
        ({"x-api-key": "{key}", "api-key": OTHER}, "invalid_api_key"),
        ({"authorization": "Basic {key}"}, "invalid_api_key"),
        ({"authorization": "Basic {key}", "x-api-key": "{key}"}, "invalid_api_key"),
        ({"authorization": "{key}"}, "invalid_api_key"),
        ({"authorization": "Bearer"}, "invalid_api_key"),
        ({"authorization": ""}, "invalid_api_key"),
        ({}, "missing_api_key"),
        ({"x-api-key": ""}, "missing_api_key"),
        ({"cookie": "api-key={key}"}, "missing_api_key"),
        ({"authorization": "Bearer " + OTHER}, "invalid_api_key"),
        ({"authorization": "Bearer sk-1234"}, "invalid_api_key"),
        ({"authorization": "Bearer {key}x"}, "invalid_api_key"),
        ({"authorization": "Bearer " + "k" * 20_000}, "invalid_api_key"),
        ({"authorization": "Bearer sk-tg-\xe4\xf6aaaaaa_" + "b" * 32}, "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models"])
def test_one_extractor_for_every_carrier(
    tmp_path: Path, headers: dict[str, str], code: str | None, path: str
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            sent = {name: value.replace("{key}", it.key) for name, value in headers.items()}
            method = "GET" if path.endswith("models") else "POST"
            reply = await it.ask(path, headers=sent, method=method)
            if code is None:
                assert reply.status == 200
                return
            assert (reply.status, reply.code) == (401, code)
            assert reply.headers["www-authenticate"] == "Bearer"
            assert reply.headers["x-should-retry"] == "false"
            assert it.key.encode() not in reply.raw
            assert not up.exchanges
            assert not it.receipts()  # or anybody could fill the ledger
            assert it.world.listener.refusals[code] == 1

    run(main())


def test_a_key_in_the_query_is_no_key(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            for name in ("api_key", "key", "api-key", "access_token"):
                reply = await it.ask(f"/v1/chat/completions?{name}={it.key}", headers={})
                assert (reply.status, reply.code) == (401, "missing_api_key")

    run(main())


def test_an_expired_and_a_revoked_key_are_told_apart(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            past = it.store.add(expires_at_s=clock.wall_s() - 1)
            future = it.store.add(expires_at_s=clock.wall_s() + 3600)
            revoked = it.store.add(revoked_at_s=5.0)
            codes = []
            for key in (past, future, revoked):
                reply = await it.ask(headers={"x-api-key": key})
                codes.append(None if reply.status == 200 else reply.code)
            assert codes == ["expired_api_key", None, "revoked_api_key"]

    run(main())


def test_a_key_expires_between_two_requests_of_one_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            key = it.store.add(expires_at_s=clock.wall_s() + 1000)
            reader, writer = await it.connect()
            request = it.request(headers={"x-api-key": key}, close=False)
            writer.write(request)
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            late_s = clock.wall_s() + 2000
            monkeypatch.setattr(clock, "wall_s", lambda: late_s)
            writer.write(request)
            assert b"401" in await reader.readuntil(b"www-authenticate")
            writer.transport.abort()

    run(main())


def test_a_revoked_key_is_refused_on_the_connection_that_it_opened(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            reader, writer = await it.connect()
            request = it.request(close=False)
            for _ in range(3):
                writer.write(request)
                assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
                await reader.readuntil(b"}}")
            [key_id] = it.store.rows
            it.store.rows[key_id] = replace(it.store.rows[key_id], revoked_at_s=1.0)
            it.world.keys.forget(key_id)
            writer.write(request)
            assert b" 401 " in await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()

    run(main())


def test_whose_key_it_was_stands_on_the_receipt(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            key = it.store.add(
                team="red",
                customer="acme",
                environment="prod",
                purpose="eval",
                priority="interactive",
                attributes={"cost_centre": "7"},
            )
            await asyncio.gather(*(it.ask(headers={"x-api-key": key}) for _ in range(3)))
            receipt = await it.receipt(3)
            assert (receipt.team, receipt.customer, receipt.environment) == ("red", "acme", "prod")
            assert receipt.priority == "interactive"
            assert (receipt.purpose, receipt.attributes) == ("eval", {"cost_centre": "7"})
            assert receipt.key_id == key[6:14]

    run(main())
