"""A target at Bedrock: requests are signed with the machine's own key, answers are its frames."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.rig import CHAT, HELLO, gateway, run, target
from tests.providers.bedrock_server import FakeBedrock, serving

from tidegate.core import clock
from tidegate.core.plan import Replica, Target

KEY = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
ENVIRON = {
    "AWS_ACCESS_KEY_ID": KEY[0],
    "AWS_SECRET_ACCESS_KEY": KEY[1],
    "AWS_REGION": "eu-central-1",
    "HOME": "/nonexistent",
}
MODEL = "anthropic.claude-sonnet-4-20250514-v1:0"
ASKED: dict[str, Any] = {**HELLO, "max_tokens": 50}


def at(url: str) -> Target:
    port = int(url.rpartition(":")[2])
    replica = Replica(f"127.0.0.1:{port}", "http", "127.0.0.1", port, "")
    return target(port, dialect="bedrock", model=MODEL, replicas=(replica,))


@pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
def test_what_is_signed_is_answered_whole_and_streamed(tmp_path: Path, path: str) -> None:
    bedrock = FakeBedrock(KEY)

    async def main() -> None:
        with serving(bedrock) as url:
            async with gateway(tmp_path, at(url), environ=ENVIRON) as it:
                whole = await it.ask(path, ASKED)
                streamed = await it.ask(path, {**ASKED, "stream": True})
                assert (whole.status, streamed.status) == (200, 200), (whole.body, streamed.body)
                assert streamed.whole
                first, second = it.receipts()
        assert (first.input_tokens, first.output_tokens) != (None, None)
        assert (first.input_tokens, first.output_tokens) == (
            second.input_tokens,
            second.output_tokens,
        )
        assert [one.rpartition("/")[2] for one in bedrock.paths] == ["converse", "converse-stream"]

    run(main())


def test_a_token_goes_before_the_key(tmp_path: Path) -> None:
    async def main() -> None:
        with serving(FakeBedrock(("other", "key", None), bearer="tok-1")) as url:
            environ = {**ENVIRON, "AWS_BEARER_TOKEN_BEDROCK": "tok-1"}
            async with gateway(tmp_path, at(url), environ=environ) as it:
                assert (await it.ask(CHAT, ASKED)).status == 200

    run(main())


def test_without_a_key_nothing_is_sent_and_a_written_one_is_used(tmp_path: Path) -> None:
    bedrock = FakeBedrock(KEY)
    file = tmp_path / "credentials"
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_REGION": "eu-central-1"}

    async def main() -> None:
        with serving(bedrock) as url:
            async with gateway(tmp_path / "state", at(url), environ=environ) as it:
                reply = await it.ask(CHAT, ASKED)
                assert (reply.status, reply.code) == (503, "credential_missing")
                assert "AWS_ACCESS_KEY_ID" in reply.json["error"]["message"]
                file.write_text(
                    f"[default]\naws_access_key_id={KEY[0]}\naws_secret_access_key={KEY[1]}\n"
                )
                await it.preparer.refresh()
                assert (await it.ask(CHAT, ASKED)).status == 200

    run(main())


def test_a_key_that_aws_refuses_is_told_without_the_key(tmp_path: Path) -> None:
    async def main() -> None:
        with serving(FakeBedrock(("another", KEY[1], None))) as url:
            async with gateway(tmp_path, at(url), environ=ENVIRON) as it:
                reply = await it.ask(CHAT, ASKED)
                assert reply.code == "upstream_auth"
                assert KEY[1] not in reply.body.decode()
                assert KEY[1] not in msgspec.json.encode(it.receipts()).decode()

    run(main())


def test_a_key_that_is_written_anew_rests_no_more(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_REGION": "eu-central-1"}

    def write(secret: str) -> None:
        lines = "[default]", f"aws_access_key_id={KEY[0]}", f"aws_secret_access_key={secret}", ""
        file.write_text("\n".join(lines))

    async def main() -> None:
        with serving(FakeBedrock(KEY)) as url:
            write("of-yesterday")
            async with gateway(tmp_path / "g", at(url), environ=environ) as it:
                assert (await it.ask(CHAT, ASKED)).code == "upstream_auth"
                assert it.world.plan is not None
                [target] = it.world.plan.routes["small"].targets()
                await it.preparer.refresh()
                assert target.wait_s(1, clock.monotonic_s()) > 0
                write(KEY[1])
                await it.preparer.refresh()
                assert target.wait_s(1, clock.monotonic_s()) == 0
                assert not target.troubled
                assert (await it.ask(CHAT, ASKED)).status == 200

    run(main())
