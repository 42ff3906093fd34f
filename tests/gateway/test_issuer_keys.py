"""Keys of one issuer: what is kept of them, and for how long."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.rig import run, until
from tests.gateway.signers import ec_key, ed_key, issuer, jwks, publisher

from tidegate.callers.jwt import plug
from tidegate.core import clock
from tidegate.core.plan_callers import IssuerKeys
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
            assert again.believed and set(again.keys) == set(first.keys)
            other = held(IssuerKeys(url=there.url + "2"), tmp_path)
            other.begin()
            assert not other.believed and not other.keys
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
            assert not now.believed and not now.keys
            there.answer = jwks(two=ed_key())
            assert await now.look(0.0) and now.believed

    run(main())


def test_other_keys_are_told_of_although_nobody_waits_any_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with publisher() as there:
            there.answer, there.hold = jwks(one=KEY), asyncio.Event()
            it = held(IssuerKeys(url=there.url), tmp_path)
            told: list[int] = []
            it.changed = lambda: told.append(len(it.keys))
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
    assert only is not None
    assert it.find(None, "ES256") is only
    assert it.find("two", "ES256") is None
    assert it.find("one", "RS256") is None
    for name in ("../one", "one/", "ONE", "one\0"):
        assert it.find(name, "ES256") is None
    file.write_bytes(jwks(one=KEY, two=OTHER))
    it.begin()
    assert it.find(None, "ES256") is None  # it could be either


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
