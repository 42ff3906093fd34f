"""tell: what an attempt says of the replica and the credential that were asked.

Breakers, resting credentials and the pace of a target learn by it.
"""

from collections.abc import Callable

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.resilience import Balance
from tidegate.gateway.breaker import Verdict
from tidegate.gateway.chain import TIMER_S
from tidegate.gateway.contract import VIOLATION
from tidegate.gateway.progress import Progress

# Failures by which a provider has shown that it is there and works.
ALIVE = frozenset({"rate_limited", "overflow", "refused_by_safety", "rejected"})


def tell(progress: Progress, no: Refusal | Failure | None) -> None:
    """What an attempt that failed, or was broken off, says of its replica and credential."""
    replica, tries = progress.replica, progress.tries
    progress.tries = False
    if replica is None:
        return
    now_s = clock.monotonic_s()
    verdict: Verdict = "dropped"
    if isinstance(no, Failure) and progress.call is not None:
        late = progress.until_s is not None and now_s >= progress.until_s - TIMER_S
        if no.code.name == "upstream_auth":
            replica.credential.refused(now_s)
            tell_identity(progress)
            verdict = "worked"
        elif no.kind in ALIVE or no.code.name == VIOLATION:
            verdict = "worked"
        elif (no.kind != "timeout" or not late) and not progress.receipt.is_own:
            verdict = "failed"  # a copy for a release must not close what callers use
    replica.breaker.told(verdict, tries, now_s)


def tell_identity(progress: Progress) -> None:
    """Its target did not accept the token of an identity, which is renewed then."""
    target, call = progress.target, progress.call
    if target is not None and target.identity is not None and call is not None:
        target.identity.refused(call.started_s)


def tell_first(progress: Progress, on_first: Callable[[float], None] | None, now_s: float) -> None:
    """The stream that tries a breaker has its first content."""
    assert progress.replica is not None  # noqa: S101 - it answers
    progress.replica.breaker.began(now_s)
    progress.tries = False
    if on_first is not None:
        on_first(now_s)


def tell_well(progress: Progress, balance: Balance) -> None:
    """An answer has come, whole. Most change nothing by it."""
    replica = progress.replica
    assert replica is not None  # noqa: S101 - it has answered
    breaker = replica.breaker
    if breaker.failures or breaker.state != "closed":
        breaker.told("worked", progress.tries, clock.monotonic_s())
    progress.tries = False
    call = progress.call
    if replica.credential.rests_until_s and call is not None and call.sent_s is not None:
        replica.credential.accepted(call.sent_s)
    if balance == "fastest":
        _tell_pace(progress)


def _tell_pace(progress: Progress) -> None:
    """How long the answer took, or its first token; a count of tokens tells nothing of it."""
    call, target, ask = progress.call, progress.target, progress.ask
    if call is None or call.sent_s is None or target is None or ask is None or ask.counts:
        return
    end_s = call.first_s if call.stream else call.ended_s
    if end_s is not None:
        target.pace.told(call.stream, end_s - call.sent_s)
