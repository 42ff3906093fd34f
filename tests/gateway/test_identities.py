"""A gateway that asks as an identity: over real sockets, from the token server to the answer."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.gateway.identity_rig import BYTES, Model, google, only, vertex
from tests.gateway.rig import CHAT, HELLO, gateway, plan_of, run, target, until
from tests.gateway.token_servers import EntraServer, GoogleServer
from tests.gateway.upstream import Exchange, Upstream, answer_bytes, streaming, whole

from tidegate.core.identity import AwsIdentity, AzureIdentity, Identity
from tidegate.core.plan import Release, Route
from tidegate.core.resilience import Retry


def test_the_first_request_is_asked_with_a_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            to = vertex(model.port, google(tmp_path, server))
            async with gateway(tmp_path, to) as it:
                replies = await asyncio.gather(*(it.ask() for _ in range(5)))
                assert [reply.status for reply in replies] == [200] * 5, replies[0].body
                assert model.seen == ["Bearer token-1"] * 5
                assert server.given == 1
                assert model.exchanges[0].header(b"x-goog-user-project") == b"p-1"
                path = b"/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash"
                assert model.exchanges[0].path == path + b":generateContent"
                assert not any("token-1" in repr(one) for one in it.receipts())
                gauges = it.vitals.status().gauges
                assert 3500 < gauges["tidegate_identity_left_seconds|provider=up"] <= 3600
                assert gauges["tidegate_identity_failures|provider=up"] == 0
                await it.preparer.identities.stop()

    run(main())


def test_a_header_of_the_plan_s_own_goes_before_the_token_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            own = (("X-Goog-User-Project", "of-the-plan"),)
            to = vertex(model.port, google(tmp_path, server), headers=own)
            async with gateway(tmp_path, to) as it:
                assert (await it.ask()).status == 200
                head = model.exchanges[0].head.lower()
                assert head.count(b"x-goog-user-project") == 1
                assert b"x-goog-user-project: of-the-plan" in head
                await it.preparer.identities.stop()

    run(main())


def test_a_token_that_is_refused_is_renewed_and_the_request_sent_once_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            to = vertex(model.port, google(tmp_path, server))
            async with gateway(tmp_path, to) as it:
                model.takes = {"Bearer token-2"}
                assert (await it.ask()).status == 200
                assert model.seen == ["Bearer token-1", "Bearer token-2"]
                receipt = await it.receipt()
                first, second = receipt.attempts
                assert (first.status, first.failure) == (401, "stale_token")
                assert (first.cost_nanousd, second.failure) == (0, None)
                assert (receipt.error_code, receipt.input_tokens) == (None, 186)
                reached_s = second.started_s - first.started_s + (second.connect_s or 0)
                assert receipt.connect_s == pytest.approx(reached_s, abs=1e-6)
                took = (receipt.gateway_s, receipt.queue_s, receipt.connect_s)
                sums = sum(took) + (receipt.generation_s or 0)  # type: ignore[arg-type]
                assert receipt.total_s == pytest.approx(sums, abs=1e-6)
                assert (await it.ask()).status == 200 and server.given == 2
                await it.preparer.identities.stop()

    run(main())


def test_who_leaves_while_another_token_is_asked_for_is_sent_no_more(tmp_path: Path) -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.closed.wait()

    async def main() -> None:
        async with (
            GoogleServer() as server,
            Model() as model,
            gateway(tmp_path, vertex(model.port, google(tmp_path, server))) as it,
        ):
            await only(it).ready()
            model.takes, asked = set(), len(server.exchanges)
            server.script = silent
            asking = asyncio.ensure_future(it.ask())
            await until(lambda: len(server.exchanges) == asked + 1)
            asking.cancel()
            receipt = await it.receipt()
            assert (receipt.error_code, len(receipt.attempts)) == ("client_closed", 1)
            assert model.seen == ["Bearer token-1"]
            await it.preparer.identities.stop()

    run(main())


def test_a_stream_is_asked_for_once_more_too(tmp_path: Path) -> None:
    async def main() -> None:
        async def script(exchange: Exchange) -> None:
            old = exchange.header(b"authorization") == b"Bearer token-1"
            await (whole({"error": {"message": "no"}}, 401) if old else streaming(3))(exchange)

        async with GoogleServer() as server, Upstream(script) as up:
            to = target(up.port, identity=google(tmp_path, server))
            async with gateway(tmp_path, to) as it:
                reply = await it.ask(CHAT, {**HELLO, "stream": True})
                assert (reply.status, reply.whole, len(up.exchanges)) == (200, True, 2)
                receipt = await it.receipt()
                assert [one.failure for one in receipt.attempts] == ["stale_token", None]
                assert receipt.content_chunks == 3
                await it.preparer.identities.stop()

    run(main())


def test_a_token_that_goes_on_being_refused_makes_no_storm(tmp_path: Path) -> None:
    """Forty requests at once: one new token, each sent once more at most, and then it rests until
    another is there."""

    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            to = vertex(model.port, google(tmp_path, server))
            async with gateway(tmp_path, to) as it:
                model.takes = set()
                await only(it).ready()
                replies = await asyncio.gather(*(it.ask() for _ in range(40)))
                assert {it.status for it in replies} <= {502, 503}
                assert {it.json["error"]["code"] for it in replies} <= {
                    *("upstream_auth", "credential_missing", "upstream_unavailable"),
                }
                assert b"token-1" not in b"".join(it.body for it in replies)
                assert server.given == 2 and len(model.seen) <= 80
                seen = len(model.seen)
                assert (await it.ask()).status >= 500
                assert server.given == 2 and len(model.seen) <= seen + 1
                await it.preparer.identities.stop()

    run(main())


def test_a_provider_that_quotes_the_token_is_not_passed_on_whole(tmp_path: Path) -> None:
    async def quoting(exchange: Exchange) -> None:
        told = (exchange.header(b"authorization") or b"").decode()
        error = {"code": 400, "message": f"odd: {told}", "status": "INVALID_ARGUMENT"}
        exchange.send(answer_bytes(400, msgspec.json.encode({"error": error})))

    async def main() -> None:
        async with GoogleServer() as server, Upstream(quoting) as model:
            to = vertex(model.port, google(tmp_path, server))
            async with gateway(tmp_path, to) as it:
                no = await it.ask()
                assert (no.status, no.json["error"]["code"]) == (400, "rejected_by_provider")
                assert no.json["error"]["message"] == "odd: Bearer [redacted]"
                await it.preparer.identities.stop()

    run(main())


def test_without_a_token_another_target_serves(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model, Upstream(whole()) as other:
            server.down = True
            first = vertex(model.port, google(tmp_path, server))
            second = target(other.port, "other")
            fallbacks = (("unavailable", (second,)),)
            route = Route(
                "both", Release("both-1", first), retry=Retry(attempts=1), fallbacks=fallbacks
            )
            async with gateway(tmp_path, first, second, routes={"both": route}) as it:
                no = await it.ask()
                assert (no.status, no.json["error"]["code"]) == (503, "credential_missing")
                message = no.json["error"]["message"]
                assert "identity of the provider up" in message and "503" in message
                assert (await it.ask(CHAT, {**HELLO, "model": "both"})).status == 200
                assert model.exchanges == []
                receipt = it.receipts()[-1]
                assert (receipt.target, receipt.error_code) == ("other", None)
                await it.preparer.identities.stop()

    run(main())


def test_a_credentials_file_that_was_replaced_is_used_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, GoogleServer() as other, Model() as model:
            identity = google(tmp_path, server)
            assert identity.google is not None
            allow = (server.url, other.url)
            identity = Identity(google=msgspec.structs.replace(identity.google, allow=allow))
            async with gateway(tmp_path, vertex(model.port, identity)) as it:
                assert (await it.ask()).status == 200
                other.given = 10
                (tmp_path / "credentials.json").write_text(other.credentials())
                await it.preparer.refresh()
                await until(lambda: other.given == 11)
                await asyncio.sleep(0.05)
                assert (await it.ask()).status == 200
                assert model.seen == ["Bearer token-1", "Bearer token-11"]
                await it.preparer.identities.stop()

    run(main())


def test_an_identity_outlives_a_plan_and_ends_with_its_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            to = vertex(model.port, google(tmp_path, server))
            async with gateway(tmp_path, to) as it:
                assert (await it.ask()).status == 200
                identity = only(it)
                other = msgspec.structs.replace(to, headers=(("x-team", "a"),))
                assert await it.obey(plan_of(other, target(1, "more"), version=2))
                assert only(it) is identity
                assert (await it.ask()).status == 200 and server.given == 1
                assert await it.obey(plan_of(target(1, "more"), version=3))
                assert not list(it.preparer.identities)
                await until(lambda: identity._task is not None and identity._task.done())

    run(main())


def test_entra_at_azure_openai(tmp_path: Path) -> None:
    async def main() -> None:
        async with EntraServer() as server, Upstream(whole()) as model:
            azure = AzureIdentity(tenant_id="tenant", client_id="app", authority=server.url)
            to = target(model.port, dialect="azure_openai", identity=Identity(azure=azure))
            environ = {"AZURE_CLIENT_SECRET": "app-secret"}
            async with gateway(tmp_path, to, environ=environ) as it:
                assert (await it.ask()).status == 200, server.refused
                [exchange] = model.exchanges
                assert exchange.header(b"authorization") == b"Bearer token-1"
                assert exchange.header(b"api-key") is None
                await it.preparer.identities.stop()

    run(main())


async def _sts(exchange: Exchange) -> None:
    exchange.send(
        answer_bytes(
            200,
            b"<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            b"<SessionToken>session==</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>",
        )
    )


def test_a_role_at_bedrock(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("workload.token")
    answer = (BYTES / "bedrock/chat.json").read_bytes()

    async def main() -> None:
        async with Upstream(_sts) as sts, Model(answer) as model:
            aws = AwsIdentity(
                role_arn="arn:aws:iam::1:role/r",
                token_file=str(tmp_path / "token"),
                region="eu-central-1",
                sts_url=f"http://127.0.0.1:{sts.port}",
            )
            to = target(model.port, dialect="bedrock", identity=Identity(aws=aws))
            async with gateway(tmp_path, to) as it:
                assert (await it.ask(CHAT, {**HELLO, "max_tokens": 9})).status == 200
                [exchange] = model.exchanges
                signed = exchange.header(b"authorization") or b""
                assert b"Credential=ASIAEXAMPLE/" in signed and b"/eu-central-1/" in signed
                assert exchange.header(b"x-amz-security-token") == b"session=="
                await it.preparer.identities.stop()

    run(main())


@pytest.mark.parametrize("stops", [False, True])
def test_a_caller_s_own_deadline_ends_the_wait(tmp_path: Path, stops: bool) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:

            async def silent(exchange: Exchange) -> None:
                await exchange.closed.wait()

            server.script = silent
            async with gateway(tmp_path, vertex(model.port, google(tmp_path, server))) as it:
                headers = {"authorization": f"Bearer {it.key}", "x-tidegate-timeout": "0.2"}
                if stops:
                    asking = asyncio.ensure_future(it.ask(headers=headers))
                    await server.arrived()
                    asking.cancel()
                    await until(lambda: len(it.receipts()) == 1)
                    assert it.receipts()[0].error_code is not None
                else:
                    assert (await it.ask(headers=headers)).status in (503, 504)
                assert model.exchanges == []
                await it.preparer.identities.stop()

    run(main())
