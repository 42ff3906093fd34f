"""A target, ready to be called: each of its replicas with each of its credentials."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Final, Protocol

from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.credential import Addressed
from tidegate.core.plan import Target
from tidegate.core.plugs import Provider
from tidegate.core.price import Price
from tidegate.core.pricing import Ceiling
from tidegate.core.receipt import Endpoint
from tidegate.core.secret import Secret
from tidegate.gateway.aws_key import AwsKey
from tidegate.gateway.breaker import CircuitBreaker, Tripped
from tidegate.gateway.cloud_identity import CloudIdentity
from tidegate.gateway.credential import Credential
from tidegate.gateway.http.pool import Pool
from tidegate.gateway.provider_rate import no_allowance
from tidegate.gateway.rendezvous import rank

# The header of every request that holds no form.
JSON_TYPE: Final = b"content-type: application/json\r\n"


class Priced(Protocol):
    """What holds are reckoned by: how a target counts, and the most that its tokens cost, at its
    price or at those of all that may serve."""

    target: Target
    ceiling: Ceiling | None

    @property
    def prices(self) -> tuple[Price | None, ...]: ...


class PreparedReplica:
    """One replica with one credential: its pool, and the parts of a request's head around the path.

    The head holds the credential, which is why this is no Struct: those print what they hold.
    """

    __slots__ = ("breaker", "credential", "head_rest", "head_start", "name", "pool", "to", "used")

    def __init__(
        self, name: str, pool: Pool, head_start: bytes, head_rest: bytes, to: Addressed
    ) -> None:
        self.name = name
        self.to = to
        self.pool = pool
        self.head_start = head_start
        self.head_rest = head_rest
        self.used = 0
        self.credential: Credential
        self.breaker: CircuitBreaker

    @property
    def load(self) -> int:
        return self.pool.in_flight + self.pool.waiting


class Pace:
    """How long a target takes: to a stream's first token, and to a whole answer. None: unknown."""

    __slots__ = ("streamed_s", "whole_s")

    def __init__(self) -> None:
        self.streamed_s: float | None = None
        self.whole_s: float | None = None

    def told(self, streamed: bool, took_s: float) -> None:
        name = "streamed_s" if streamed else "whole_s"
        before = getattr(self, name)
        setattr(self, name, took_s if before is None else before + (took_s - before) / 8)


class PreparedTarget(Struct, eq=False):
    """One target. `missing` says which credential could not be resolved, where none could. `aws` is
    what its requests are signed with, where they are, `identity` as whom it is asked.
    `may_be_priced` says that somebody knows its price, or that nobody has to, `bounded` that its
    model may not take everything, `endpoints` what it and its provider serve. `only` is the replica
    that there is no other beside, where the credential is there."""

    target: Target
    provider: Provider
    replicas: list[PreparedReplica]
    ceiling: Ceiling | None
    missing: str | None
    tripped: Tripped
    pace: Pace
    aws: AwsKey | CloudIdentity | None = None
    identity: CloudIdentity | None = None
    may_be_priced: bool = False
    only: PreparedReplica | None = None
    bounded: bool = False
    endpoints: frozenset[Endpoint] = frozenset()

    def __post_init__(self) -> None:
        target = self.target
        self.bounded = target.context_tokens is not None or target.facts is not None
        free = not self.provider.hosted or target.unpriced_allowed
        facts = target.facts
        self.endpoints = frozenset(
            it for it in self.provider.endpoints if facts is None or facts.may_serve(it)
        )
        self.may_be_priced = target.price is not None or free
        if len(self.replicas) == 1 and self.missing is None:
            self.only = self.replicas[0]

    @property
    def troubled(self) -> bool:
        """Whether a part of it may be left alone: otherwise nothing has to be looked at."""
        tripped = self.tripped
        return tripped.count > 0 or tripped.refused > 0

    @property
    def prices(self) -> tuple[Price | None, ...]:
        return (self.target.price,)

    @property
    def lacks_credential(self) -> bool:
        """Whether it has nothing to sign with, or no token of its identity, yet or any more: what
        was sent now would be refused here."""
        if self.identity is not None:
            return self.identity.lease is None
        return self.aws is not None and self.aws.key is None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What its requests are sent with beside a credential of the plan's own."""
        if self.identity is not None:
            return self.identity.secrets
        key = None if self.aws is None else self.aws.key
        return () if key is None else key.secrets

    def serves(self, ask: Ask) -> bool:
        """Whether it takes such a request at all, at a price that somebody knows."""
        return ask.endpoint in self.endpoints and self.may_be_priced

    def allowed(self, now_s: float) -> bool:
        """Whether a breaker of it lets a request through."""
        if not self.tripped.count:
            return True
        return any(it.breaker.allows(now_s) for it in self.replicas)

    def throttled(self, tokens: int, now_s: float) -> bool:
        """Whether it takes no such request now because its provider limits our rate."""
        waits = [it.credential.rate.wait_s(tokens, now_s) for it in self.replicas]
        return min(waits, default=0.0) > 0

    def wait_s(self, tokens: int, now_s: float) -> float:
        """Until one of its credentials takes a request of so many tokens; 0 is now."""
        waits = [it.credential.wait_s(tokens, now_s) for it in self.replicas]
        return min(waits, default=0.0)

    def choose(
        self, tried: Collection[PreparedReplica], tokens: int, now_s: float, whose: str = ""
    ) -> PreparedReplica:
        """The replica with the fewest exchanges in flight, or the one that is `whose` own, of those
        that are not left alone and, if there are any, not tried before. Failure (`rate_limited`)
        when no credential takes more now."""
        every = self.replicas
        awake = [it for it in every if not it.credential.wait_s(tokens, now_s)]
        # What was refused is tried before nothing is; what is throttled has said when.
        awake = awake or [it for it in every if not it.credential.rate.wait_s(tokens, now_s)]
        if not awake:
            raise no_allowance(self.wait_s(tokens, now_s))
        left_alone = self._left_alone(now_s) if self.tripped.count else ()
        able = [it for it in awake if it not in left_alone] or awake
        able = [it for it in able if it not in tried] or able
        if whose:
            home = max({it.name for it in able}, key=partial(rank, whose))
            able = [it for it in able if it.name == home]
        chosen = min(able, key=lambda it: (it.load, it.used))
        chosen.used += 1
        return chosen

    def _left_alone(self, now_s: float) -> Iterable[PreparedReplica]:
        """Those whose breakers are open, the first that opened first, up to the share that may."""
        out = [it for it in self.replicas if not it.breaker.allows(now_s)]
        most = max(1, len(self.replicas) * self.target.breaker.max_ejected_percent // 100)
        return sorted(out, key=lambda it: it.breaker.opened_s)[:most]
