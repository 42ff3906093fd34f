"""Secrets put in as canaries, looked for in everything that Tidegate says or keeps.

The provider throws its credential, which looks like no credential, back wherever it can.
"""

import asyncio
import http.client
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from click.testing import CliRunner
from tests.e2e.test_kill_control import Spawning
from tests.gateway.rig import HELLO, run
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import STREAM_HEAD, Exchange, Upstream, chunk, whole

from tidegate.cli.key import plug as key_command
from tidegate.cli.receipts import plug as receipts_command
from tidegate.stores.peppers import pepper_files, read_peppers

CANARY = "canaryQ7mZp2Lx9Vt4Rb6Ys1Wd8"
PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: "${{CANARY}}"}}
targets:
  small: {{provider: up, model: small, price: free}}
routes: {{small: small}}
"""
TOLD = {
    "error": {
        "message": f"the key {CANARY} (Bearer {CANARY}) is bad",
        "type": CANARY,
        "param": CANARY,
        "code": CANARY,
    }
}
BODIES = (TOLD, {"error": f"no {CANARY}"}, {"message": CANARY}, {"detail": [{"got": CANARY}]})
PAGES = ("/metrics", "/livez", "/api/plan", "/api/gateways", "/api/keys", "/api/receipts")
WINDOWS = ("/api/receipts/top?by=failed&since_s=3600", "/api/receipts/summary?since_s=3600")


async def errs_in_stream(exchange: Exchange) -> None:
    """A stream whose error comes after its first token."""
    exchange.send(STREAM_HEAD)
    exchange.say("t")
    exchange.send(chunk(b"data: " + msgspec.json.encode(TOLD) + b"\n\n") + b"0\r\n\r\n")


async def every_answer(up: Upstream, address: tuple[str, int], key: str) -> list[bytes]:
    """What a client sees of each way in which the provider says its credential."""
    replies = []
    for status in (200, 400, 401, 403, 404, 409, 422, 429, 500, 503):
        for body in BODIES:
            up.script = whole(body, status, [("x-echo", CANARY), ("server", CANARY)])
            for request in (HELLO, {**HELLO, "stream": True}):
                replies.append((await ask(address, post(key, request))).raw)
    up.script = errs_in_stream
    replies.append((await ask(address, post(key, {**HELLO, "stream": True}))).raw)
    replies.append((await ask(address, post(key + "x", HELLO))).raw)
    replies.append((await ask(address, post(key, {**HELLO, "model": "none"}))).raw)
    return replies


def new_pepper(control: Spawning) -> None:
    """A second pepper beside the first, made by the command."""
    made = CliRunner().invoke(
        key_command, ["pepper", "--state", str(control.layout.state)], catch_exceptions=False
    )
    assert made.exit_code == 0, made.output


def everything_control_says(control: Spawning, ids: list[str]) -> list[bytes]:
    """Its API's answers, its refusals of a wrong and of no token, and what the command shows."""
    url = urlsplit((control.layout.run / "control.url").read_text().strip())
    token = control.layout.operator_token.read_text().strip()
    said = []
    paths = [*PAGES, *WINDOWS, *(f"/api/receipts/{i}" for i in ids)]
    for path in paths:
        for given in (token, "wrong", None):
            headers = {} if given is None else {"authorization": f"Bearer {given}"}
            connection = http.client.HTTPConnection(url.netloc, timeout=10)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            said.append(str(answer.getheaders()).encode() + answer.read())
            connection.close()
            if given == token:
                assert answer.status == 200, (path, said[-1])
    for words in (["tail"], ["top", "--by", "failed"], *(["show", i] for i in ids)):
        shown = CliRunner().invoke(
            receipts_command, [*words, "--state", str(control.layout.state)], catch_exceptions=False
        )
        assert shown.exit_code == 0, shown.output
        said.append(shown.output.encode())
    return said


def kept(control: Spawning) -> dict[str, bytes]:
    """Every file of the state directory but those that are the secrets themselves."""
    secrets = {*pepper_files(control.layout.state).values(), control.layout.operator_token}
    files = [p for p in control.layout.state.rglob("*") if p.is_file() and p not in secrets]
    return {str(path): path.read_bytes() for path in files}


def test_no_canary_is_said_or_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    places: dict[str, bytes] = {}
    secrets: dict[str, bytes] = {"credential": CANARY.encode()}

    async def main() -> None:
        async with Upstream() as up:
            control = Spawning(tmp_path)
            (tmp_path / "tidegate.yaml").write_text(PLAN.format(port=up.port))
            await control.start()
            await control.ready()
            gateway = Spawned(control.layout)
            await gateway.start()
            await asyncio.to_thread(new_pepper, control)  # the gateway learns of it by the key
            key = await asyncio.to_thread(control.key)
            secrets["key"] = key.encode()
            secrets["random part of the key"] = key.rpartition("_")[2].encode()
            secrets["operator's token"] = control.layout.operator_token.read_bytes().strip()
            peppers = read_peppers(control.layout.state)
            assert list(peppers) == [1, 2]
            for version, pepper in peppers.items():
                secrets[f"pepper {version}"] = pepper
                secrets[f"pepper {version} in hexadecimal"] = pepper.hex().encode()
            replies = await every_answer(up, gateway.address, key)
            assert up.exchanges[0].header(b"authorization") == f"Bearer {CANARY}".encode()
            places.update({f"answer {n}": raw for n, raw in enumerate(replies)})
            places.update({f"journal {n}": raw for n, raw in kept(control).items()})
            assert await gateway.end() == 0
            ids = [
                line[14:].decode()
                for raw in replies
                for line in raw.split(b"\r\n")
                if line.startswith(b"x-request-id: ") and b" 401 " not in raw[:20]
            ]
            assert len(ids) == len(replies) - 1 > 80  # without a key there is no receipt
            await recorded(control, len(ids))
            said = await asyncio.to_thread(everything_control_says, control, ids[::9])
            places.update({f"control {n}": raw for n, raw in enumerate(said)})
            assert await control.end(signal.SIGTERM) == 0
            places.update(kept(control))
            places["log of the gateway"] = gateway.log
            places["log of control"] = control.log.read_bytes()

    run(main())
    assert len(places) > 150
    assert any(name.endswith("ledger.db") for name in places)
    assert any(name.startswith("journal ") and ".journal" in name for name in places)
    found = [
        (what, where)
        for what, secret in secrets.items()
        for where, text in places.items()
        if secret in text
    ]
    assert found == []


async def recorded(control: Spawning, count: int) -> None:
    """Waits until the ledger holds this many receipts."""

    def held() -> int:
        with closing(sqlite3.connect(f"file:{control.layout.ledger_db}?mode=ro", uri=True)) as it:
            return int(it.execute("SELECT count(*) FROM receipts").fetchone()[0])

    while await asyncio.to_thread(held) < count:  # noqa: ASYNC110 - the ledger announces nothing
        await asyncio.sleep(0.05)
