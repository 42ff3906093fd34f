"""The keys of issuers, over real sockets: rotated, taken back, away, and after a restart."""

import asyncio
import shutil
import ssl
import time
from pathlib import Path

import msgspec
import pytest
import trustme
from tests.gateway import signers
from tests.gateway.rig import gateway, run, target, until
from tests.gateway.signers import Publisher, claims, issuer, publisher, sign
from tests.gateway.tokens import KEY, bearer, code, file_keys
from tests.gateway.upstream import Upstream

from tidegate.core import clock
from tidegate.core.plan_callers import IssuerKeys
from tidegate.core.secret import SecretRef
from tidegate.gateway import issuer_keys, issuers


def test_keys_are_asked_for_once_and_again_when_a_token_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        second = signers.ec_key()
        async with publisher() as there, Upstream() as up:
            there.answer = signers.jwks(one=KEY)
            one = issuer(IssuerKeys(url=there.url))
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                tokens = [sign(KEY, claims(jti=str(number))) for number in range(8)]
                there.hold = asyncio.Event()
                asking = [asyncio.ensure_future(code(it, token)) for token in tokens]
                await until(lambda: there.asked)
                there.hold.set()
                assert await asyncio.gather(*asking) == [None] * 8
                assert len(there.asked) == 1
                there.hold = None
                there.answer = signers.jwks(one=KEY, two=second)
                fresh = sign(second, claims(), key_id="two")
                # The last look is not long ago: nobody is asked, and nothing is remembered.
                assert await code(it, fresh) == "401 invalid_api_key"
                assert len(there.asked) == 1
                later(monkeypatch, issuer_keys.LEAST_GAP_S + 1)
                assert await code(it, fresh) is None
                for number in range(5):  # who makes names up makes nobody ask
                    made_up = sign(second, claims(), key_id=f"../{number}")
                    assert await code(it, made_up) == "401 invalid_api_key"
                assert len(there.asked) == 2

    run(main())


def test_a_key_that_is_broken_and_an_id_that_comes_twice_shut_nobody_out(tmp_path: Path) -> None:
    async def main() -> None:
        second, strange = signers.ec_key(), signers.ec_key()
        told: list[object] = [{"kty": "EC", "kid": "one", "crv": "P-256", "x": 7}]
        told += [signers.jwk(KEY, "one"), signers.jwk(second, "one")]
        async with publisher() as there, Upstream() as up:
            there.answer = msgspec.json.encode({"keys": told})
            one = issuer(IssuerKeys(url=there.url))
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                codes = [await code(it, sign(key, claims())) for key in (KEY, second, strange)]
                assert codes == [None, None, "401 invalid_api_key"]
                gauges = it.vitals.status().gauges
                assert gauges["tidegate_issuer_keys|issuer=example"] == 2
                assert gauges["tidegate_issuer_keys_skipped|issuer=example"] == 1

    run(main())


def test_a_key_that_is_taken_back_lets_nobody_in_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        second = signers.ec_key()
        async with publisher() as there, Upstream() as up:
            there.answer = signers.jwks(one=KEY, two=second)
            one = issuer(IssuerKeys(url=there.url))
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                old, new = sign(KEY, claims()), sign(second, claims(), key_id="two")
                assert [await code(it, token) for token in (old, new)] == [None, None]
                there.answer = signers.jwks(two=second)
                later(monkeypatch, one.keys.every_s * 1.2)
                assert it.preparer.issuers is not None
                await it.preparer.issuers.refresh()
                codes = [await code(it, token) for token in (old, new)]
                assert codes == ["401 invalid_api_key", None]

    run(main())


def test_a_key_that_is_taken_back_while_nobody_waits_lets_nobody_in_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever had the keys asked for gave up, or left, before they came."""
    monkeypatch.setattr(issuers, "WAIT_S", 0.05)

    async def main() -> None:
        second = signers.ec_key()
        async with publisher() as there, Upstream() as up:
            there.answer = signers.jwks(one=KEY, two=second)
            one = issuer(IssuerKeys(url=there.url))
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                old = sign(KEY, claims())
                assert it.preparer.issuers is not None
                await it.preparer.issuers.refresh()
                assert await code(it, old) is None
                there.answer, there.hold = signers.jwks(two=second), asyncio.Event()
                later(monkeypatch, issuer_keys.LEAST_GAP_S + 1)
                strange = sign(second, claims(), key_id="three")
                assert await code(it, strange) == "401 invalid_api_key"
                assert len(there.asked) == 2
                assert await code(it, old) is None  # nobody has said otherwise yet
                there.hold.set()
                [known] = it.preparer.issuers
                await until(lambda: ("one", "ES256") not in known.held.key_set.keys)
                await asyncio.sleep(0.05)
                assert await code(it, old) == "401 invalid_api_key"

    run(main())


@pytest.mark.parametrize("broken", ["away", "500", "garbage", "redirect", "empty", "huge"])
def test_old_keys_go_on_while_the_issuer_is_away_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    async def main() -> None:
        async with publisher() as there, Upstream() as up:
            there.answer = signers.jwks(one=KEY)
            one = issuer(IssuerKeys(url=there.url, keep_s=3600.0))
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                assert await code(it, sign(KEY, claims())) is None
            _break(there, broken)
            first_s = clock.wall_s()
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                assert await code(it, sign(KEY, claims())) is None
                assert it.preparer.issuers is not None
                await it.preparer.issuers.refresh()
                assert await code(it, sign(KEY, claims(jti="2"))) is None
                [known] = it.preparer.issuers
                assert known.held.problem
                monkeypatch.setattr(clock, "wall_s", lambda: first_s + 3601.0)
                assert await code(it, sign(KEY, claims())) == "503 issuer_unavailable"
            shutil.rmtree(it.layout.issuers)
            monkeypatch.undo()
            async with gateway(tmp_path, target(up.port), callers=(one,)) as it:
                reply = await it.ask(headers=bearer(sign(KEY, claims())))
                assert (reply.status, reply.code) == (503, "issuer_unavailable")
                assert reply.headers["x-should-retry"] == "true"

    run(main())


def _break(there: Publisher, how: str) -> None:
    if how == "away":
        there.reset = True
    elif how in ("500", "redirect"):
        there.status = 500 if how == "500" else 302
    else:
        answers = {"garbage": b"<html>", "empty": b'{"keys":[]}', "huge": b" " * 300_000}
        there.answer = answers[how]


def test_a_file_of_keys_is_read_again_and_one_that_is_broken_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        second = signers.ec_key()
        keys = file_keys(tmp_path)
        path = Path(str(keys.file))
        callers = (issuer(keys),)
        async with Upstream() as up, gateway(tmp_path, target(up.port), callers=callers) as it:
            issuers = it.preparer.issuers
            assert issuers is not None
            for number, (written, good) in enumerate(
                [
                    (b"{", KEY),
                    (signers.jwks(two=second), second),
                    (None, second),
                    (signers.jwks(one=KEY), KEY),
                ]
            ):
                _write(path, written)
                later(monkeypatch, issuer_keys.FILE_EVERY_S * (number + 1) + 1)
                await issuers.refresh()
                for key, name in ((KEY, "one"), (second, "two")):
                    said = await code(it, sign(key, claims(), key_id=name))
                    assert said == (None if key is good else "401 invalid_api_key")

    run(main())


def _write(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


def test_the_keys_are_asked_for_by_tls_and_with_a_credential(tmp_path: Path) -> None:
    async def main() -> None:
        authority = trustme.CA()
        ca_file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        secret = tmp_path / "token"
        secret.write_text("own-token\n")
        async with publisher(ssl=context) as there, Upstream() as up:
            there.answer = signers.jwks(one=KEY)
            trusted = IssuerKeys(
                url=there.url, ca_file=str(ca_file), credential=SecretRef(file=str(secret))
            )
            for version, (keys, expected) in enumerate(
                [(IssuerKeys(url=there.url), "503 issuer_unavailable"), (trusted, None)]
            ):
                folder = tmp_path / str(version)
                folder.mkdir()
                async with gateway(folder, target(up.port), callers=(issuer(keys),)) as it:
                    assert await code(it, sign(KEY, claims())) == expected
            [asked] = there.asked
            assert b"authorization: Bearer own-token\r\n" in asked

    run(main())


def later(monkeypatch: pytest.MonkeyPatch, by_s: float) -> None:
    """The monotonic clock goes on from here, so much later."""
    real = time.monotonic
    monkeypatch.setattr(clock, "monotonic_s", lambda: real() + by_s)
