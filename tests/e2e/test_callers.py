"""A token in a key's place through the whole house: control, feed, gateway, command line."""

import http.client
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from tests.e2e.rig import House
from tests.gateway import signers
from tests.gateway.signers import claims, sign

PLAN = """\
providers: {vllm: {base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets: {small: {provider: vllm, model: small, price: free}}
routes: {chat: small, other: small}
callers:
  example:
    issuer: https://issuer.example
    audiences: [tidegate]
    keys: {file: issuer.jwks}
    grants:
    - match: {sub: "service-*"}
      team: web
      routes: [chat]
"""


def models(house: House, token: str) -> list[str] | str:
    """What the caller may use, or the code of the no."""
    with closing(http.client.HTTPConnection(urlsplit(house.url).netloc, timeout=10)) as connection:
        connection.request("GET", "/v1/models", headers={"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = msgspec.json.decode(answer.read())
    if answer.status != 200:
        code: str = body["error"]["code"]
        return code
    return [row["id"] for row in body["data"]]


def tidegate(house: House, *words: str) -> str:
    command = [sys.executable, "-m", "tidegate.boot", *words, "--state", str(house.layout.state)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_token_is_let_in_revoked_and_let_in_again(tmp_path: Path) -> None:
    key, second = signers.ec_key(), signers.ec_key()
    (tmp_path / "issuer.jwks").write_bytes(signers.jwks(one=key))
    with House(tmp_path, PLAN) as house:
        token, other = sign(key, claims()), sign(key, claims(sub="service-b"))
        assert models(house, token) == models(house, other) == ["chat"]
        assert models(house, sign(key, claims(sub="person"))) == "caller_not_allowed"
        assert models(house, sign(second, claims())) == "invalid_api_key"
        meant = ("example", "--subject", "service-a")
        assert tidegate(house, "caller", "revoke", *meant).startswith("Revoked jwt-")
        assert models(house, token) == "revoked_api_key"
        assert models(house, other) == ["chat"]
        assert "service-a" in tidegate(house, "caller", "list")
        tidegate(house, "caller", "restore", *meant)
        assert models(house, token) == ["chat"]
        house.plan_file.write_text(PLAN.replace("routes: [chat]", "routes: [other]"))
        tidegate(house, "plan", "reload")
        assert models(house, token) == ["other"]
