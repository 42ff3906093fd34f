"""What is known of targets and routes, and outlives a plan: who failed, who rests, what is left."""

import hashlib
from collections.abc import Iterator

from tidegate.core.plan import Candidate, Plan, Route, Target
from tidegate.core.secret import Secret, SecretRef
from tidegate.gateway.breaker import CircuitBreaker, Tripped
from tidegate.gateway.copies import Copies
from tidegate.gateway.credential import Credential
from tidegate.gateway.first_versions import FirstVersions
from tidegate.gateway.prepared_target import Pace
from tidegate.gateway.retry_budget import RetryBudget

# A target's name and its provider's.
Whose = tuple[str, str]
# A release's id and the salt that it began with.
Salted = tuple[str, str]


class OfTarget:
    """What is known of one target. A credential that has changed is another, and rests no more."""

    def __init__(self) -> None:
        self.tripped = Tripped()
        self.pace = Pace()
        self._credentials: dict[tuple[str, bytes], Credential] = {}
        self._breakers: dict[tuple[str, str], CircuitBreaker] = {}

    def credential(self, ref: SecretRef | None, secret: Secret | None) -> Credential:
        name = "" if ref is None else str(ref)
        text = b"" if secret is None else secret.reveal().encode()
        key = name, hashlib.sha256(text).digest()
        found = self._credentials.get(key)
        if found is None:
            found = self._credentials[key] = Credential(name, secret, self.tripped)
        return found

    def breaker(self, replica: str, credential: str, target: Target) -> CircuitBreaker:
        key = replica, credential
        found = self._breakers.get(key)
        if found is None:
            found = self._breakers[key] = CircuitBreaker(target.breaker, self.tripped)
        return found

    def opened(self) -> int:
        """How often breakers of it have opened, of those that it has now."""
        return sum(breaker.opened for breaker in self._breakers.values())

    def resting(self, now_s: float) -> int:
        """How many credentials rest, because they were refused."""
        return sum(now_s < it.rests_until_s for it in self._credentials.values())

    def renewed(self) -> None:
        """The machine's own key, which has no name here, is another one."""
        for credential in self._credentials.values():
            if not credential.name:
                credential.accepted()

    def keep(self, used: list[tuple[str, Credential, CircuitBreaker]], target: Target) -> None:
        """Only what is used counts from now on, by the plan's settings. Requests of an older plan
        may still tell of the rest, which is nobody's concern."""
        gone = Tripped()
        for known in self._credentials.values():
            known.tripped = gone
        for breaker in self._breakers.values():
            breaker.tripped = gone
        for _, credential, breaker in used:
            credential.tripped = breaker.tripped = self.tripped
        kept = {id(credential) for _, credential, _ in used}
        self._credentials = {k: c for k, c in self._credentials.items() if id(c) in kept}
        self._breakers = {(name, c.name): breaker for name, c, breaker in used}
        for breaker in self._breakers.values():
            breaker.rules = target.breaker
        self.tripped.count = sum(b.state != "closed" for b in self._breakers.values())
        self.tripped.refused = sum(c.rests_until_s > 0 for c in self._credentials.values())


class OfRelease:
    """What is known of one release under way: its own retries, whom it has answered first, and
    what it was asked beside."""

    def __init__(self, candidate: Candidate) -> None:
        self.budget = RetryBudget(candidate.route.retry)
        self.firsts = FirstVersions()
        self.copies = Copies()


class Standing:
    """Of every target and route of the plans that this process has obeyed lately."""

    def __init__(self) -> None:
        self._targets: dict[Whose, OfTarget] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._releases: dict[Salted, OfRelease] = {}

    def of(self, target: Target) -> OfTarget:
        return self._targets.setdefault((target.name, target.provider), OfTarget())

    def budget(self, route: Route) -> RetryBudget:
        found = self._budgets.get(route.name)
        if found is None:
            found = self._budgets[route.name] = RetryBudget(route.retry)
        return found

    def release(self, candidate: Candidate) -> OfRelease:
        """Begun again with another salt it is another."""
        found = self._releases.get((candidate.rollout, candidate.salt))
        if found is None:
            found = OfRelease(candidate)
            self._releases[candidate.rollout, candidate.salt] = found
        return found

    def renewed(self, provider: str | None = None) -> None:
        """The machine's own key has been written anew, or there is a new token for a provider: what
        was refused of the old one is over."""
        for (_, whose), of in self._targets.items():
            if provider is None or provider == whose:
                of.renewed()

    def targets(self) -> Iterator[tuple[str, OfTarget]]:
        return ((name, it) for (name, _), it in self._targets.items())

    def budgets(self) -> Iterator[tuple[str, RetryBudget]]:
        return iter(self._budgets.items())

    def releases(self) -> Iterator[tuple[str, OfRelease]]:
        return ((rollout, it) for (rollout, _), it in self._releases.items())

    def adopt(self, plan: Plan) -> None:
        """What this plan does not have is forgotten."""
        kept = {(target.name, target.provider) for target in plan.targets.values()}
        self._targets = {whose: it for whose, it in self._targets.items() if whose in kept}
        self._budgets = {name: it for name, it in self._budgets.items() if name in plan.routes}
        coming = (it for route in plan.routes.values() for it in route.candidates)
        under_way = {(it.rollout, it.salt) for it in coming}
        self._releases = {which: it for which, it in self._releases.items() if which in under_way}
