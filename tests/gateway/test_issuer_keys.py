"""Keys of one issuer: what is kept of them, and for how long."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import run, until
from tests.gateway.signers import ec_key, ed_key, issuer, jwks, publisher

from tidegate.callers.jwt import plug
from tidegate.core import clock
from tidegate.core.plan_callers import IssuerKeys
from tidegate.core.secret import SecretRef
from tidegate.gateway import issuer_keys
from tidegate.gateway.http.fetch import MAX_ANSWER_BYTES, Bounds
from tidegate.gateway.issuer_keys import HeldKeys

KEY, OTHER = ec_key(), ec_key()


def held(keys: IssuerKeys, folder: Path) -> HeldKeys:
    return HeldKeys(issuer(keys), plug, folder / "issuers" / "it.keys", {})


def test_what_was_kept_is_of_this_issuer_and_this_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with publisher() as there:
            there.answer = jwks(one=KEY)
            keys = IssuerKeys(url=there.url, keep_s=100.0)
            first = held(keys, tmp_path)
            assert await first.look(0.0)
            assert not await first.look(0.0)  # not yet due
            assert [path.name for path in (tmp_path / "issuers").iterdir()] == ["it.keys"]
            again = held(keys, tmp_path)
            again.begin()
            assert again.believed and set(again.key_set.keys) == set(first.key_set.keys)
            other = held(IssuerKeys(url=there.url + "2"), tmp_path)
            other.begin()
            assert not other.believed and not other.key_set.keys
            (tmp_path / "issuers" / "it.keys").write_bytes(b"\xff")
            spoiled = held(keys, tmp_path)
            spoiled.begin()
            assert not spoiled.believed
            now_s = clock.wall_s()
            for shift_s, believed in ((99.0, True), (101.0, False), (-1e6, True)):
                monkeypatch.setattr(clock, "wall_s", lambda at_s=now_s + shift_s: at_s)
                assert again.believed == believed

    run(main())


def test_kept_keys_for_other_algorithms_are_no_obstacle(tmp_path: Path) -> None:
    async def main() -> None:
        async with publisher() as there:
            there.answer = jwks(one=KEY)
            keys = IssuerKeys(url=there.url)
            assert await held(keys, tmp_path).look(0.0)
            kept = tmp_path / "issuers" / "it.keys"
            now = HeldKeys(issuer(keys, algorithms=("EdDSA",)), plug, kept, {})
            now.begin()  # as a plan is prepared, and a gateway begins
            assert not now.believed and not now.key_set.keys
            there.answer = jwks(two=ed_key())
            assert await now.look(0.0) and now.believed

    run(main())


def test_other_keys_are_told_of_although_nobody_waits_any_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with publisher() as there:
            there.answer, there.hold = jwks(one=KEY), asyncio.Event()
            it = held(IssuerKeys(url=there.url), tmp_path)
            told: list[int] = []
            it.changed = lambda: told.append(len(it.key_set.keys))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await it.look_again(0.0)
            there.hold.set()
            await until(lambda: told)
            assert told == [1]

    run(main())


def test_which_key_a_token_means(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    it = held(IssuerKeys(file=str(file)), tmp_path)
    file.write_bytes(jwks(one=KEY))
    it.begin()
    only = it.find("one", "ES256")
    assert len(only) == 1
    assert it.find(None, "ES256") is only
    assert it.find("two", "ES256") == ()
    assert it.find("one", "RS256") == ()
    for name in ("../one", "one/", "ONE", "one\0"):
        assert it.find(name, "ES256") == ()
    file.write_bytes(jwks(one=KEY, two=OTHER))
    it.begin()
    assert it.find(None, "ES256") == ()  # it could be either


def test_a_credential_goes_along_and_one_that_is_none_asks_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with publisher() as there:
            there.answer, file = jwks(one=KEY), tmp_path / "token"
            keys = IssuerKeys(url=there.url, credential=SecretRef(file=str(file)))
            for text in (None, "", "two\nlines"):
                if text is not None:
                    file.write_text(text)
                it = held(keys, tmp_path)
                assert not await it.look(0.0) and not there.asked
                assert f"file:{file}" in str(it.problem)
            file.write_text(" secret \n")
            assert await held(keys, tmp_path).look(0.0)
            [asked] = there.asked
            assert asked.startswith(b"GET /keys HTTP/1.1\r\nhost: 127.0.0.1:")
            assert b"authorization: Bearer secret\r\n" in asked

    run(main())


async def _status(there: Any) -> str:
    there.status = 302
    return "it answered 302"


async def _endless(there: Any) -> str:
    there.hold = asyncio.Event()
    return "did not answer within"


async def _huge(there: Any) -> str:
    there.answer = b" " * (MAX_ANSWER_BYTES + 1)
    return "exceeds"


async def _gone(there: Any) -> str:
    there.url = "http://127.0.0.1:1/keys"
    return "cannot be reached"


@pytest.mark.parametrize("broken", [_status, _endless, _huge, _gone])
def test_why_there_are_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Any
) -> None:
    monkeypatch.setattr(issuer_keys, "_BOUNDS", Bounds(total_s=0.1))

    async def main() -> None:
        async with publisher() as there:
            said = await broken(there)
            it = held(IssuerKeys(url=there.url), tmp_path)
            assert not await it.look(0.0) and not it.believed
            assert said in str(it.problem)
            assert len(there.asked) <= 1  # no redirect is followed
            if there.hold is not None:
                there.hold.set()

    run(main())


def test_what_is_left_out_of_a_set_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys"
    file.write_bytes(jwks(one=KEY).replace(b'{"keys":[', b'{"keys":[{"kty":7},'))
    it = held(IssuerKeys(file=str(file)), tmp_path)
    it.begin()
    it.begin()
    assert len(it.find("one", "ES256")) == 1 and it.believed
    assert it.key_set.skipped == ("key 1 of 2 cannot be read",)
    assert caplog.text.count("issuer example: keys of its set are left out: key 1 of 2") == 1


def test_a_folder_that_cannot_be_written_costs_nothing_now(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        (tmp_path / "issuers").write_text("a file in the way")
        async with publisher() as there:
            there.answer = jwks(one=KEY)
            it = held(IssuerKeys(url=there.url), tmp_path)
            assert await it.look(0.0)
            assert it.believed and "cannot be kept" in caplog.text

    run(main())
