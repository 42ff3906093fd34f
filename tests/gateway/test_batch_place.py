"""Where files go, and what their provider may answer."""

import io
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.batched import HALF
from tests.gateway.rig import gateway, run, target
from tests.gateway.token_servers import EntraServer
from tests.gateway.upstream import Exchange, Upstream, whole

from tidegate.core.batches import Batches
from tidegate.core.identity import AzureIdentity, Identity
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.secret import SecretRef
from tidegate.gateway import batch_place
from tidegate.gateway.batch_place import account, ask, choose, with_batches
from tidegate.gateway.batch_transfer import Upload, begin_download, upload

SECRET = SecretRef(env="UP_KEY")


def test_a_request_bears_the_targets_credential_and_an_error_does_not_tell_it(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        fields: dict[str, Any] = {"batches": Batches(HALF), "credential": SECRET}
        async with (
            Upstream(whole({"ok": True})) as up,
            gateway(
                tmp_path, target(up.port, **fields), environ={"UP_KEY": "very-secret-key"}
            ) as it,
        ):
            at = choose(it.world.obeyed().routes["small"].target, 0.0)
            path = b"/batches/b/cancel"
            assert await ask(at, b"POST", path, "r", body=b"") == b'{"ok":true}'
            exchange = up.exchanges[0]
            assert exchange.head.startswith(b"POST /v1/batches/b/cancel HTTP/1.1\r\n")
            assert exchange.header(b"authorization") == b"Bearer very-secret-key"
            assert exchange.header(b"content-length") == b"0"
            await ask(at, b"GET", b"/batches?limit=2", "r")
            assert up.exchanges[1].path == b"/v1/batches?limit=2"
            up.script = whole({"error": {"message": "bad very-secret-key"}}, 400)
            with pytest.raises(Failure) as no:
                await ask(at, b"GET", b"/batches", "r")
            assert "very-secret-key" not in no.value.message

    run(main())


def test_a_request_bears_the_token_of_its_providers_identity(tmp_path: Path) -> None:
    async def main() -> None:
        async with EntraServer() as server, Upstream(whole({"id": "file-1"})) as up:
            azure = AzureIdentity(tenant_id="tenant", client_id="app", authority=server.url)
            fields: dict[str, Any] = {"batches": Batches(HALF), "identity": Identity(azure=azure)}
            environ = {"AZURE_CLIENT_SECRET": "app-secret"}
            async with gateway(tmp_path, target(up.port, **fields), environ=environ) as it:
                at = choose(it.world.obeyed().routes["small"].target, 0.0)
                await ask(at, b"GET", b"/batches/b", "r")
                await upload(at, Upload(io.BytesIO(b"{}"), 2, "f", ()), "r")
                this = at.in_flight()
                up.script = whole({}, 200)
                await begin_download(at, this, b"/files/f/content", "r")
                this.end()
                sent = [exchange.header(b"authorization") for exchange in up.exchanges]
                assert sent == [b"Bearer token-1"] * 3
                await it.preparer.identities.stop()

    run(main())


async def closing(exchange: Exchange) -> None:
    exchange.transport.close()


async def silent(exchange: Exchange) -> None:
    await exchange.closed.wait()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (whole({}, 429), "upstream_rate_limited"),
        (whole({}, 500), "upstream_error"),
        (whole({}, 404), "not_found"),
        (whole(b"x" * (batch_place.MAX_ANSWER_BYTES + 1)), "upstream_too_large"),
        (closing, "upstream_unreachable"),
        (silent, "upstream_timeout"),
    ],
    ids=["429", "500", "404", "large", "closing", "silent"],
)
def test_what_is_no_answer_is_told(
    tmp_path: Path, script: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if script is silent:
        monkeypatch.setattr(batch_place, "MOST_S", 0.1)

    async def main() -> None:
        async with (
            Upstream(script) as up,
            gateway(tmp_path, target(up.port, batches=Batches(HALF))) as it,
        ):
            at = choose(it.world.obeyed().routes["small"].target, 0.0)
            with pytest.raises((Failure, Refusal)) as no:
                await ask(at, b"GET", b"/batches", "r")
            assert no.value.code.name == code

    run(main())


def test_a_target_without_batches_or_credential_takes_none(tmp_path: Path) -> None:
    async def main() -> None:
        several = (
            target(1, "plain"),
            target(1, "engine", dialect="vllm", batches=Batches(HALF)),
            target(1, "keyless", batches=Batches(HALF), credential=SECRET),
            target(1, "good", batches=Batches(HALF)),
        )
        async with gateway(tmp_path, *several) as it:
            plan = it.world.obeyed()
            found = {name: route.target for name, route in plan.routes.items()}
            for name in ("plain", "engine"):
                with pytest.raises(Refusal, match="takes no files of requests"):
                    account(found[name], found[name].replicas[0])
            with pytest.raises(Refusal, match="is not set"):
                choose(found["keyless"], 0.0)
            names = [it.target.name for it in with_batches(plan, plan.routes)]
            assert names == ["engine", "keyless", "good"]

    run(main())
