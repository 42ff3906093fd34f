"""Files and batches are asked for as an identity too, and wait for its token."""

import io
from pathlib import Path

import pytest
from tests.gateway.identity_rig import Model, google, only
from tests.gateway.rig import gateway, run, target, until
from tests.gateway.token_servers import GoogleServer

from tidegate.core.batches import Batches
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.batch_place import ask, choose
from tidegate.gateway.batch_transfer import Upload, upload


def test_files_and_batches_are_asked_for_with_the_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            to = target(
                model.port,
                identity=google(tmp_path, server),
                batches=Batches(None),
                unpriced_allowed=True,
            )
            async with gateway(tmp_path, to) as it:
                at = choose(it.world.obeyed().routes["small"].target, 0.0)
                await only(it).ready()
                await ask(at, b"GET", b"/batches", "r")
                assert model.seen == ["Bearer token-1"]
                model.takes = set()
                with pytest.raises(Failure) as no:
                    await ask(at, b"GET", b"/batches", "r")
                assert no.value.code.name == "upstream_auth"
                assert "token" not in no.value.message
                assert model.seen[1:] == ["Bearer token-1", "Bearer token-2"]
                model.takes = {"Bearer token-2"}
                await ask(at, b"GET", b"/batches", "r")
                assert server.given == 2
                await it.preparer.identities.stop()

    run(main())


def test_a_file_is_sent_once_more_from_its_beginning(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            to = target(
                model.port,
                identity=google(tmp_path, server),
                batches=Batches(None),
                unpriced_allowed=True,
            )
            async with gateway(tmp_path, to) as it:
                at = choose(it.world.obeyed().routes["small"].target, 0.0)
                await only(it).ready()
                model.takes = {"Bearer token-2"}
                with io.BytesIO(b"no{}") as file:
                    file.seek(2)
                    await upload(at, Upload(file, 2, "a.jsonl", ()), "r")
                assert model.seen == ["Bearer token-1", "Bearer token-2"]
                assert all(b"\r\n\r\n{}\r\n--" in one.body for one in model.exchanges)
                await it.preparer.identities.stop()

    run(main())


def test_files_and_batches_wait_for_the_token_and_nothing_is_sent_without(tmp_path: Path) -> None:
    async def main() -> None:
        async with GoogleServer() as server, Model() as model:
            server.down = True
            to = target(
                model.port,
                identity=google(tmp_path, server),
                batches=Batches(None),
                unpriced_allowed=True,
            )
            async with gateway(tmp_path, to) as it:
                at = choose(it.world.obeyed().routes["small"].target, 0.0)
                with io.BytesIO(b"{}") as file:
                    what = Upload(file, 2, "a.jsonl", ())
                    for asked in (ask(at, b"GET", b"/batches", "r"), upload(at, what, "r")):
                        with pytest.raises(Refusal, match=r"has no token: .* answered 503") as no:
                            await asked
                        assert no.value.code.name == "credential_missing"
                assert model.exchanges == []
                server.down = False
                await until(lambda: only(it).lease is not None)
                await ask(at, b"GET", b"/batches", "r")
                assert model.seen == ["Bearer token-1"]
                await it.preparer.identities.stop()

    run(main())
