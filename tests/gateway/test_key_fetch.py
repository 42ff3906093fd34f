"""An issuer's keys over real sockets: one answer, bounded, or a reason."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.rig import run
from tests.gateway.signers import publisher

from tidegate.core.plan_callers import IssuerKeys
from tidegate.core.secret import SecretRef
from tidegate.gateway import key_fetch
from tidegate.gateway.key_fetch import FetchFailed, fetch


def test_the_body_comes_as_it_is_and_the_credential_goes() -> None:
    async def main() -> None:
        async with publisher() as there:
            keys = IssuerKeys(url=there.url, credential=SecretRef(env="T"))
            assert await fetch(keys, {"T": " secret "}) == there.answer
            [asked] = there.asked
            assert asked.startswith(b"GET /keys HTTP/1.1\r\nhost: 127.0.0.1:")
            assert b"authorization: Bearer secret\r\n" in asked

    run(main())


@pytest.mark.parametrize("text", [None, "", "two\nlines"])
def test_a_credential_that_is_none_is_not_sent(tmp_path: Path, text: str | None) -> None:
    async def main() -> None:
        async with publisher() as there:
            file = tmp_path / "token"
            if text is not None:
                file.write_text(text)
            keys = IssuerKeys(url=there.url, credential=SecretRef(file=str(file)))
            with pytest.raises(FetchFailed):
                await fetch(keys, {})
            assert there.asked == []

    run(main())


@pytest.mark.parametrize("status", [301, 302, 401, 404, 500])
def test_another_status_is_a_reason_and_no_redirect_is_followed(status: int) -> None:
    async def main() -> None:
        async with publisher() as there:
            there.status = status
            with pytest.raises(FetchFailed, match=str(status)):
                await fetch(IssuerKeys(url=there.url), {})
            assert len(there.asked) == 1

    run(main())


def test_an_answer_that_never_ends_and_one_that_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_fetch, "TOTAL_S", 0.1)

    async def main() -> None:
        async with publisher() as there:
            there.answer = b" " * (key_fetch.MAX_ANSWER_BYTES + 1)
            with pytest.raises(FetchFailed, match="exceeds"):
                await fetch(IssuerKeys(url=there.url), {})
            there.hold = asyncio.Event()
            with pytest.raises(FetchFailed):
                await fetch(IssuerKeys(url=there.url), {})
            there.hold.set()

    run(main())


def test_who_is_not_there_is_a_reason() -> None:
    async def main() -> None:
        with pytest.raises(FetchFailed):
            await fetch(IssuerKeys(url="http://127.0.0.1:1/keys"), {})

    run(main())
