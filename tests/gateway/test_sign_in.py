"""Signing in over real sockets: proofs are believed, what was read is watched, failures told."""

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import run
from tests.gateway.token_servers import EntraServer, GoogleServer, MetadataServer

from tidegate.core import clock, plugs
from tidegate.core.identity import AzureIdentity, GoogleIdentity, Identity
from tidegate.core.plan import Tls
from tidegate.core.secret import SecretRef
from tidegate.core.sign_in import NotSignedIn
from tidegate.gateway.sign_in import Entry


def entry(identity: Identity, **environ: str) -> Entry:
    return Entry(identity, Tls(), environ)


async def token(of: Entry) -> str:
    before_s = clock.monotonic_s()
    lease, since_s = await of.sign_in()
    assert before_s <= since_s <= clock.monotonic_s() and lease.lives_s == 3600
    assert lease.token is not None
    return lease.token.reveal()


def test_google_believes_what_we_sign(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"

    async def main() -> None:
        async with GoogleServer() as server:
            file.write_text(server.credentials())
            google = GoogleIdentity(credentials=SecretRef(file=str(file)), allow=(server.url,))
            of = entry(Identity(google=google))
            assert await token(of) == "token-1"
            assert not of.has_changed()
            file.write_text(server.credentials() + "\n")
            assert of.has_changed()
            assert await token(of) == "token-2"
            assert not of.has_changed()
            file.unlink()
            assert of.has_changed()
            with pytest.raises(NotSignedIn, match="there is no file"):
                await of.sign_in()

    run(main())


def test_another_key_s_signature_is_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"

    async def main() -> None:
        async with GoogleServer() as server, GoogleServer() as other:
            told = other.credentials().replace(other.url, server.url)
            file.write_text(told)
            google = GoogleIdentity(credentials=SecretRef(file=str(file)), allow=(server.url,))
            with pytest.raises(NotSignedIn, match=r"answered 400 \(invalid_grant\)"):
                await entry(Identity(google=google)).sign_in()
            assert server.refused and not server.given

    run(main())


@pytest.mark.parametrize("proof", ["secret", "certificate", "workload"])
def test_entra_believes_each_proof(tmp_path: Path, proof: str) -> None:
    async def main() -> None:
        async with EntraServer() as server:
            fields: dict[str, Any] = {"source": proof}
            if proof == "certificate":
                (tmp_path / "app.pem").write_text(server.pem)
                fields["certificate_file"] = str(tmp_path / "app.pem")
            elif proof == "workload":
                (tmp_path / "token").write_text("workload.own.token")
                fields["token_file"] = str(tmp_path / "token")
            azure = AzureIdentity(
                **fields, tenant_id="tenant", client_id="app", authority=server.url
            )
            of = entry(Identity(azure=azure), AZURE_CLIENT_SECRET="app-secret")
            assert await token(of) == "token-1"
            assert server.refused == []

    run(main())


def test_a_metadata_server_is_asked_past_the_proxy() -> None:
    async def main() -> None:
        async with MetadataServer() as server:
            google = GoogleIdentity(source="metadata", metadata_url=server.url)
            of = entry(Identity(google=google), http_proxy="http://127.0.0.1:1")
            assert await token(of) == "token-1"

    run(main())


@pytest.mark.parametrize("down", [False, True])
def test_a_server_that_is_away_is_named(down: bool) -> None:
    async def main() -> None:
        async with MetadataServer() as server:
            server.down, url = down, server.url
            if not down:
                url = "http://127.0.0.1:1"
            google = GoogleIdentity(source="metadata", metadata_url=url)
            why = "answered 503" if down else "127.0.0.1:1 gave no token: it cannot be reached"
            with pytest.raises(NotSignedIn, match=why):
                await entry(Identity(google=google)).sign_in()

    run(main())


def test_without_the_package_that_signs_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = plugs.load

    def without(kind: str, name: str) -> Any:
        if kind == "signatures":
            raise plugs.PlugError("signatures: rsa does not load: No module named 'cryptography'")
        return load(kind, name)

    async def main() -> None:
        async with GoogleServer() as server:
            (tmp_path / "c.json").write_text(server.credentials())
            monkeypatch.setattr(plugs, "load", without)
            google = GoogleIdentity(
                credentials=SecretRef(file=str(tmp_path / "c.json")), allow=(server.url,)
            )
            with pytest.raises(NotSignedIn, match=r"install tidegate\[clouds\]"):
                await entry(Identity(google=google)).sign_in()

    run(main())


def test_what_cannot_be_read_or_signed_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(b"\xff\xfe")
    google = GoogleIdentity(credentials=SecretRef(file=str(tmp_path / "c.json")))

    async def unreadable() -> None:
        with pytest.raises(NotSignedIn, match="cannot be read"):
            await entry(Identity(google=google)).sign_in()

    async def unsigned() -> None:
        async with GoogleServer() as server:
            told = server.credentials().replace("PRIVATE KEY", "PUBLIC KEY")
            (tmp_path / "c.json").write_text(told)
            with pytest.raises(NotSignedIn, match="private key cannot be read"):
                allowed = GoogleIdentity(credentials=google.credentials, allow=(server.url,))
                await entry(Identity(google=allowed)).sign_in()

    run(unreadable())
    run(unsigned())
