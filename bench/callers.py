"""What it costs to know a caller by a key or by a token: `python -m bench.callers [REPEATS]`.

CPU of the gateway's own stage, one process, without sockets: a key and a token that are known, a
token that is seen for the first time (with a thread's turn for its revocations), and what is
no token of anybody's. Each figure is the median of blocks.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.gateway.rig import PEPPER, FakeStore
from tests.gateway.signers import claims, ec_key, ed_key, issuer, jwks, piece, rsa_key, sign

from tidegate.core.outcome import Refusal
from tidegate.core.plan_callers import FromClaim, Grant, IssuerKeys, Match
from tidegate.core.receipt import Receipt
from tidegate.gateway.authenticate import authenticate
from tidegate.gateway.http.reader import Head
from tidegate.gateway.issuers import Issuers
from tidegate.gateway.keys import Keys

BLOCKS: Final = 9
GRANTS: Final = (
    Grant(FromClaim("ml"), (Match(("repository",), ("acme/a", "acme/b")),)),
    Grant(FromClaim(None, ("team",)), (Match(("repository",), ("acme/*",)),)),
)
MORE: Final[dict[str, object]] = {
    "repository": "acme/app",
    "team": "web",
    "ref": "refs/heads/main",
    "workflow": "deploy",
    "run_id": "123456789",
    "job_workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
}


async def main(repeats: int) -> None:
    rsa, ec, ed = rsa_key(), ec_key(), ed_key()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys"
        path.write_bytes(jwks(rsa=rsa, ec=ec, ed=ed))
        store = FakeStore()
        key = store.add()
        keys = Keys(store, {1: PEPPER})
        issuers = Issuers(Path(folder), keys, {})
        one = issuer(IssuerKeys(file=str(path)), *GRANTS)
        issuers.adopt(await issuers.prepare((one,)))
        signers = {"RS256": (rsa, "rsa"), "ES256": (ec, "ec"), "EdDSA": (ed, "ed")}

        def fresh(algorithm: str, number: int) -> str:
            signer, name = signers[algorithm]
            return sign(signer, claims(jti=f"{algorithm}-{number}", **MORE), algorithm, name)

        known = fresh("RS256", -1)
        cases: dict[str, Callable[[int], str]] = {
            "a key, known": lambda _: key,
            "a token, known": lambda _: known,
            **{
                f"a token, new, {name}": (lambda number, name=name: fresh(name, number))
                for name in signers
            },
            "a token, expired": lambda number: sign(ec, claims(exp=5, jti=str(number)), "ES256"),
            "a token, wrong signature, RS256": lambda number: (
                fresh("RS256", -1).rpartition(".")[0] + "." + piece(number.to_bytes(256, "big"))
            ),
            "garbage, 16 KiB": lambda number: "eyJ" + f"{number:05d}" * 3276 + ".e30.AA",
        }
        print(f"a token of {len(known)} bytes, RS256, two grants")
        for name, make in cases.items():
            print(f"{name}: {await _measure(make, keys, repeats):.1f} us")
        keys.close()


async def _measure(make: Callable[[int], str], keys: Keys, repeats: int) -> float:
    """CPU of one look, all threads, in microseconds."""
    blocks = []
    for block in range(BLOCKS):
        shown = [make(block * repeats + number).encode() for number in range(repeats)]
        began_s = time.process_time()
        for one in shown:
            await _look(one, keys)
        blocks.append((time.process_time() - began_s) / repeats * 1e6)
    return statistics.median(blocks)


async def _look(shown: bytes, keys: Keys) -> None:
    head = Head(headers={b"authorization": b"Bearer " + shown})
    looking: Awaitable[object] = authenticate(head, keys, Receipt("", 0.0, "g", "chat"))
    try:
        await looking
    except Refusal:
        return


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
