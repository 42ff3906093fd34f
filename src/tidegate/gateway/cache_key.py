"""cache_key: the digests by which answers are found again.

What may make answers differ is in them: whose they are, the release with its targets, the prompt's
version, the contract, the wire and what is asked in it. So nothing has to be thrown away when a
prompt or a model changes: nobody asks by the old key any more.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.cache import ExactCache, Scope, SemanticCache
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
    """A route's cache, ready. `start` and `near` have read what is the same for all of its
    requests, `near` for questions that are compared; `providers` are of the targets whose answers
    are its release's own, `tags` what all of its answers may be invalidated by. While changes in
    force have it so: `exact_off`, the same request is asked anew; `semantic_off`, no other
    wording's answer is looked for; and none further than the cosine `floor` is given."""

    exact: ExactCache | None
    semantic: SemanticCache | None
    start: Any
    near: Any
    keeps_sampling: bool
    hears_users: bool
    providers: Mapping[str, Provider]
    tags: tuple[str, ...] = ()
    exact_off: bool = False
    semantic_off: bool = False
    floor: float = 0.0

    def key(self, ask: Ask, asked: Canonical, receipt: Receipt, namespace: str) -> bytes:
        """Of exactly that request, in the exact tier."""
        assert self.exact is not None  # noqa: S101 - see `cache`
        head = _head(self.exact.scope, ask, asked, receipt, namespace)
        return _digest(self.start, head, asked.text)

    def partition(
        self,
        ask: Ask,
        asked: Canonical,
        receipt: Receipt,
        namespace: str,
        rest: tuple[str, str | None, bytes],
    ) -> bytes:
        """Of all requests that differ in nothing but the question's wording. `rest` is by what
        encoder and in which language that is compared, and what else is asked."""
        assert self.semantic is not None  # noqa: S101 - see `semantic`
        encoder, language, text = rest
        head = _head(self.semantic.scope, ask, asked, receipt, namespace)
        return _digest(self.near, _encode((encoder, language, head)), text)


def answer_key(partition: bytes, question: str) -> bytes:
    """Where the answer to a question is. Nothing of another partition can have this key, whatever
    an index says of it."""
    return hashlib.blake2b(question.encode(), key=partition, digest_size=DIGEST_BYTES).digest()


def prepare_cache(route: Route, providers: Mapping[str, Provider]) -> PreparedCache | None:
    """None where the route keeps no chats. `providers` are of its release's targets."""
    if route.cache is None:
        return None
    exact, semantic = route.cache.exact, route.cache.semantic
    if exact is None and semantic is None:
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
        route.cache.tags,
    )
    return PreparedCache(
        exact,
        semantic,
        None if exact is None else _start(same, exact.scope),
        None if semantic is None else _start(same, semantic.scope, "semantic"),
        keeps_sampling(kinds),
        hears_users(kinds),
        providers,
        route.cache.tags,
    )


def _start(*same: object) -> Any:
    return hashlib.blake2b(_encode(same), digest_size=DIGEST_BYTES)


def _head(scope: Scope, ask: Ask, asked: Canonical, receipt: Receipt, namespace: str) -> bytes:
    return _encode(
        (
            whose(scope, receipt),
            namespace,
            ask.dialect,
            receipt.prompt,
            receipt.prompt_version,
            ask.passed,
            ask.continuous_usage,
            None if asked.plain else ask.stream,
        )
    )


def _digest(start: Any, head: bytes, text: bytes) -> bytes:
    digest = start.copy()
    # With its length, so that nothing at its end can be taken for a part of what follows.
    digest.update(len(head).to_bytes(_HEAD_BYTES, "big"))
    digest.update(head)
    digest.update(text)
    found: bytes = digest.digest()
    return found


def whose(scope: Scope, receipt: Receipt) -> tuple[str | None, ...]:
    """Who shares an answer. A key without a team is a tenant of its own."""
    if scope == "route":
        return ("route",)
    if scope == "key" or not receipt.team:
        return ("key", receipt.key_id)
    return ("tenant", receipt.team, receipt.customer)
