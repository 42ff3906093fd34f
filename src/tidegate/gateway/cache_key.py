"""cache_key: the digest by which an answer is found again.

What may make answers differ is in it: whose they are, the release with its targets, the prompt's
version, the contract, the wire and what is asked in it. So nothing has to be thrown away when a
prompt or a model changes: nobody asks by the old key any more.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.cache import ExactCache, Scope
from tidegate.core.plan import Route
from tidegate.core.plugs import Provider
from tidegate.core.receipt import Receipt
from tidegate.gateway.canonical import Canonical, hears_users, keeps_sampling

# Of what a key is made; another one finds nothing of those before it.
_VERSION: Final = 1
DIGEST_BYTES: Final = 32
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_HEAD_BYTES: Final = 4


class PreparedCache(Struct, eq=False):
    """A route's cache, ready. `start` has read what is the same for all of its requests;
    `providers` are of the targets whose answers are its release's own. `exact_off`: while a change
    in force has it so, the same request is asked anew."""

    exact: ExactCache
    start: Any
    keeps_sampling: bool
    hears_users: bool
    providers: Mapping[str, Provider]
    exact_off: bool = False

    def key(self, ask: Ask, asked: Canonical, receipt: Receipt, namespace: str) -> bytes:
        form = None if asked.plain else ask.stream
        head = _encode(
            (
                _whose(self.exact.scope, receipt),
                namespace,
                ask.dialect,
                receipt.prompt,
                receipt.prompt_version,
                ask.passed,
                ask.continuous_usage,
                form,
            )
        )
        digest = self.start.copy()
        # With its length, so that nothing at its end can be taken for a part of what follows.
        digest.update(len(head).to_bytes(_HEAD_BYTES, "big"))
        digest.update(head)
        digest.update(asked.text)
        found: bytes = digest.digest()
        return found


def prepare_cache(route: Route, providers: Mapping[str, Provider]) -> PreparedCache | None:
    """None where the route keeps nothing. `providers` are of its release's targets."""
    exact = None if route.cache is None else route.cache.exact
    if exact is None:
        return None
    shares = route.release.shares
    kinds = {share.target.dialect for share in shares}
    same = (
        _VERSION,
        route.name,
        route.release.name,
        [(it.target.name, it.target.dialect, it.target.model) for it in shares],
        route.contract,
        route.drops_unsupported,
        route.parameters,
        route.system_prompt,
        exact.scope,
    )
    start = hashlib.blake2b(_encode(same), digest_size=DIGEST_BYTES)
    return PreparedCache(exact, start, keeps_sampling(kinds), hears_users(kinds), providers)


def _whose(scope: Scope, receipt: Receipt) -> tuple[str | None, ...]:
    """Who shares an answer. A key without a team is a tenant of its own."""
    if scope == "route":
        return ("route",)
    if scope == "key" or not receipt.team:
        return ("key", receipt.key_id)
    return ("tenant", receipt.team, receipt.customer)
