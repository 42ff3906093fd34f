"""What is asked after a target has failed: another part of it, another of its pool, it again after
a pause, or a fallback for that failure. A target that was left is not asked again."""

import math
from collections.abc import Mapping
from typing import Final

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure, FailureKind, Refusal
from tidegate.core.resilience import FailureClass, Retry
from tidegate.gateway.contract import VIOLATION
from tidegate.gateway.media import text_bytes
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.text import tokens

# Failures after which something else may be asked. What the provider rejects, others would too.
_BY_KIND: Final[Mapping[FailureKind, FailureClass]] = {
    "unavailable": "unavailable",
    "timeout": "unavailable",
    "interrupted": "unavailable",
    "rate_limited": "rate_limited",
    "overflow": "overflow",
    "malformed": "malformed",
    "refused_by_safety": "refused_by_safety",
}
# Timers go by milliseconds, and may be early by as much.
TIMER_S: Final = 0.01
# Our own no about one target, by its code: another may have room.
_BY_REFUSAL: Final[Mapping[str, FailureClass]] = {
    "credential_missing": "unavailable",
    "context_length_exceeded": "overflow",
    "overloaded": "rate_limited",
    "deadline_too_short": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "concurrency_limit_exceeded": "rate_limited",
    "insufficient_quota": "rate_limited",
    "larger_than_limit": "rate_limited",
    "input_too_long": "rate_limited",
    "output_too_long": "rate_limited",
    "session_limit_exceeded": "rate_limited",
    "turn_limit_exceeded": "rate_limited",
}
# By these a provider says that it has done no work, so that the same may be asked again.
_UNTOUCHED: Final = frozenset({"unavailable", "rate_limited"})
# What is the same when it is asked again.
_STANDING: Final = frozenset({"upstream_auth", "upstream_tls"})
# Whose doing it is where a request is no good, or not allowed.
_OURS: Final = frozenset({"caller", "policy"})
# Other parts of the same target would say the same.
_SAME_EVERYWHERE: Final = frozenset({"overflow", "refused_by_safety"})


def failure_class(no: Refusal | Failure) -> FailureClass | None:
    """What a route may answer it with; None where nothing else is asked."""
    if isinstance(no, Failure):
        return _BY_KIND.get(no.kind)
    return _BY_REFUSAL.get(no.code.name)


class Chain:
    """One request's way from target to target. `ask` is the request as it came, `replicas` are the
    parts of targets that it has asked, `_times` how often it has asked the target that it is at.
    `_met` are the failures that have led it on, by their classes, the first of them being `_first`;
    `violation` is the first of its answers' that broke the contract. Where the request goes on from
    what is `_kept` somewhere, nobody else can serve it."""

    __slots__ = (
        *("_asked", "_corrected", "_first", "_kept", "_met", "_route", "_times", "_until_s"),
        *("ask", "replicas", "violation"),
    )

    def __init__(
        self,
        ask: Ask,
        route: PreparedRoute,
        until_s: float | None,
        kept: PreparedReplica | None = None,
    ) -> None:
        self.ask = ask
        self._kept = kept
        self._route = route
        self._until_s = until_s
        self._asked: set[str] = set()
        self._times = 0
        self._corrected = False
        self._first: Refusal | Failure | None = None
        self._met: list[FailureClass] = []
        self.replicas: list[PreparedReplica] = []
        self.violation: Failure | None = None

    def after(
        self,
        no: Refusal | Failure,
        target: PreparedTarget,
        replica: PreparedReplica | None,
        now_s: float,
    ) -> tuple[PreparedTarget, float] | None:
        """(what is asked next, after how many seconds); None when that was all. The same target
        after a violation: it is shown what is wrong with its answer."""
        of = failure_class(no)
        late = self._until_s is not None and now_s >= self._until_s
        if of is None and replica is None and no.code.fault in _OURS and not late:
            return self._after_refusal(no, target, now_s)
        if of is None or late:
            return None
        self._asked.add(target.target.name)
        if isinstance(no, Failure) and no.code.name == VIOLATION:
            following = self._after_violation(no, target, now_s)
        else:
            following = self._after_failure(no, of, (target, replica), now_s)
        if following is not None:
            self.led(of, no)
        return following

    def _after_refusal(
        self, no: Refusal | Failure, target: PreparedTarget, now_s: float
    ) -> tuple[PreparedTarget, float] | None:
        """It cannot do what is asked, which is nobody's failure: the others of the pool may, and
        what is left of the chain that the request is on."""
        self._asked.add(target.target.name)
        if self._met:
            return self._after_failure(no, self._met[-1], (target, None), now_s)
        others = self._pool(target, "unavailable", now_s)
        return (others[0], 0.0) if others else None

    def led(self, of: FailureClass, no: Refusal | Failure) -> None:
        """Because of this it goes to another, or again to the same."""
        self._met.append(of)
        self._first = self._first or no

    def _after_failure(
        self,
        no: Refusal | Failure,
        of: FailureClass,
        at: tuple[PreparedTarget, PreparedReplica | None],
        now_s: float,
    ) -> tuple[PreparedTarget, float] | None:
        target, replica = at
        if replica is not None:
            # A credential that is refused rests, and its provider has done no work.
            self._times += no.code.name != "upstream_auth"
            self._note(no, target, replica)
        again_s = self._again_s(no, target, replica, now_s)
        if again_s == 0.0:
            return target, 0.0
        others = [] if of == "refused_by_safety" else self._pool(target, of, now_s)
        beyond = self._beyond(of, now_s)
        if again_s is not None and not others and (of != "rate_limited" or not beyond):
            return target, again_s
        following = (*others, *beyond)
        if not following:
            return None
        self._times = 0
        return following[0], 0.0

    def blamed(self, no: Refusal | Failure) -> Refusal | Failure:
        """What the caller is told. That an attempt which it did not ask for was refused is no
        mistake of its own: what led there is."""
        if no.code.fault not in _OURS:
            return no
        if self.violation is not None:
            return self.violation
        first = self._first
        if first is None or isinstance(no, Failure) or no.code is first.code:
            return no
        said = isinstance(first, Failure) or first.code.fault not in ("caller", no.code.fault)
        return first if said else no

    def _after_violation(
        self, no: Failure, target: PreparedTarget, now_s: float
    ) -> tuple[PreparedTarget, float] | None:
        """As the route's contract has it: once more the same, or who is there for bad answers."""
        self.violation = self.violation or no
        contract = self._route.route.contract
        if contract is None or contract.on_violation == "fail":
            return None
        again = contract.on_violation == "retry" and self.ask.endpoint == "chat"
        if again and not self._corrected and can_serve(target, self.ask, self._tokens(), now_s):
            self._corrected = True
            return target, 0.0
        beyond = self._fallback("malformed", now_s)
        self._times = 0
        return (beyond[0], 0.0) if beyond else None

    def _again_s(
        self,
        no: Refusal | Failure,
        target: PreparedTarget,
        replica: PreparedReplica | None,
        now_s: float,
    ) -> float | None:
        """When the same target is asked again; None is never. At once where a part of it was not
        asked yet, else after a pause, and only where it has done nothing so far."""
        retry = self._route.route.retry
        if replica is None or not isinstance(no, Failure) or self._times >= retry.attempts:
            return None
        if no.kind in _SAME_EVERYWHERE:
            return None
        wanted = self._tokens()
        for it in target.replicas if self._kept is None else ():
            asleep = it.credential.wait_s(wanted, now_s) or not it.breaker.allows(now_s)
            if it not in self.replicas and not asleep:
                return 0.0
        standing = no.code.name in _STANDING or no.kind not in _UNTOUCHED
        if standing or not target.allowed(now_s):
            return None
        whose = target if self._kept is None else self._kept.credential
        told_s = max(no.retry_after_s or 0.0, whose.wait_s(wanted, now_s))
        pause_s = max(pause(retry, self._times, clock.fraction()), TIMER_S if told_s else 1e-6)
        pause_s += told_s
        if told_s > retry.retry_after_cap_s:
            return None
        late = self._until_s is not None and now_s + pause_s >= self._until_s
        return None if late else pause_s

    def _note(
        self, no: Refusal | Failure, target: PreparedTarget, replica: PreparedReplica
    ) -> None:
        """What of the target has failed by this: a credential with every replica, or a replica with
        every credential."""
        refused = isinstance(no, Failure) and (
            no.kind == "rate_limited" or no.code.name == "upstream_auth"
        )
        for it in target.replicas:
            same = it.credential is replica.credential if refused else it.pool is replica.pool
            if same:
                self.replicas.append(it)

    def _pool(self, target: PreparedTarget, of: FailureClass, now_s: float) -> list[PreparedTarget]:
        """The others of the pool that can be asked now; after an overflow, those with more room."""
        found = []
        room = target.target.context_tokens
        for share in self._route.pool:
            other = share.target
            more = other.target.context_tokens
            if not self._may_ask(other, now_s):
                continue
            if of != "overflow" or (room is not None and (more is None or more > room)):
                found.append(other)
        return found

    def _beyond(self, of: FailureClass, now_s: float) -> list[PreparedTarget]:
        """The fallbacks for this, else those that are left for what has led here."""
        if of == "refused_by_safety":
            return self._fallback(of, now_s)
        chains = (self._fallback(one, now_s) for one in (of, *reversed(self._met)))
        return next(filter(None, chains), [])

    def _fallback(self, of: FailureClass, now_s: float) -> list[PreparedTarget]:
        chain = self._route.fallbacks.get(of, ())
        return [target for target in chain if self._may_ask(target, now_s)]

    def _may_ask(self, target: PreparedTarget, now_s: float) -> bool:
        fresh = self._kept is None and target.target.name not in self._asked
        return fresh and can_serve(target, self.ask, self._tokens(), now_s)

    def _tokens(self) -> int:
        return tokens.estimate(text_bytes(self.ask))


def pause(retry: Retry, times: int, drawn: float) -> float:
    """Full jitter: anything up to a bound that doubles with each attempt, and is bounded."""
    return drawn * min(retry.cap_s, math.ldexp(retry.base_s, max(times, 1) - 1))


def can_serve(target: PreparedTarget, ask: Ask, wanted: int, now_s: float) -> bool:
    """Whether it can be asked now, with some hope: it is not left alone, and takes so much."""
    if not target.serves(ask) or target.missing is not None or not target.allowed(now_s):
        return False
    return not target.wait_s(wanted, now_s)
