"""What of releases needs a certificate and has none: the gate `certificate`, which control decides.

A release that changes by which prompt, or at which models, its route asks needs one for each pair
of version and model that its candidate would be asked at and its route is not. One that names the
gate needs one for every pair, whatever it changes and whatever the plan says of certificates.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.control.certified import Uncertified, models_at, version_of
from tidegate.control.certifying import Certifying
from tidegate.control.compiling import Compiling
from tidegate.control.plans import Plans
from tidegate.core.certificate import Certificate
from tidegate.core.declared import Declared
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_targets import DeclaredTarget, adapters_of
from tidegate.core.plan import Plan, Route
from tidegate.core.prompt import STABLE, Prompt, RoutePrompt
from tidegate.core.rollout import CERTIFICATE, Rollout
from tidegate.core.rollout_state import State
from tidegate.core.route_members import value_of
from tidegate.prompts.reading import Reading, Snapshot
from tidegate.stores import certificates
from tidegate.stores.rollouts import Kept

# In which something of it is still to be let through.
_GATED: Final[frozenset[State]] = frozenset({"created", "gated", "shadow", "step", "analysing"})
_TOUCHING: Final = frozenset({"prompt", "target", "targets"})
_MOST_TOLD: Final = 6
_NO_FILE: Final = (
    "no plan file was good since this control started, so nobody knows what it asks to be "
    "certified: put the file right"
)


class Coming(NamedTuple):
    """What a release would have its route asked by, and at which models."""

    wanted: RoutePrompt
    models: frozenset[str]


class Said(NamedTuple):
    """What a release says of both, as far as it does."""

    prompt: RoutePrompt | None
    targets: tuple[str | DeclaredTarget, ...] | None


class Known(Struct):
    """Certificates of some digests, as they were when the store had this many, the newest so."""

    stamp: tuple[int, str | None]
    of: dict[str, list[Certificate]]


class ReleaseCertificates:
    """Of the releases on their way. What is asked of the store is asked by one question of all, and
    not at all while nothing waits for a certificate."""

    def __init__(
        self,
        certifying: Certifying,
        reading: Reading,
        plan: Callable[[], Plan],
        declared: Callable[[], Declared],
    ) -> None:
        self._certifying = certifying
        self._reading = reading
        self._plan = plan
        self._declared = declared
        self._known = Known((0, None), {})
        self._said: dict[str, Said] = {}  # by digests of releases, which never change
        self._versions: tuple[Snapshot | None, dict[tuple[str, str], Prompt | str]] = (None, {})

    def missing(
        self, connection: Connection, kept: Iterable[Kept], now_s: float
    ) -> dict[str, tuple[str, ...]]:
        """By release, each pair that it waits for, in words that say how it is certified."""
        found: dict[str, tuple[str, ...]] = {}
        wanted: dict[str, tuple[Rollout, list[tuple[Prompt, frozenset[str]]]]] = {}
        for one in kept:
            if one.state not in _GATED or not self._applies(one.rollout):
                continue
            try:
                wanted[one.rollout.id] = one.rollout, self._wanted(one.rollout)
            except ValueError as error:
                found[one.rollout.id] = (str(error),)
        there = {rollout.digest for rollout, _ in wanted.values()}
        self._said = {digest: it for digest, it in self._said.items() if digest in there}
        digests = {prompt.digest for _, pairs in wanted.values() for prompt, _ in pairs}
        if not digests:
            return found
        known = self._papers(connection, digests)
        certified = self._certifying.of(connection, lambda digest: known.get(digest, []), now_s)
        for name, (rollout, pairs) in wanted.items():
            lacking = [it for prompt, models in pairs for it in certified.missing(prompt, models)]
            if lacking:
                found[name] = self._told(rollout, list(dict.fromkeys(lacking)))
        return found

    def notes(self, rollout: Rollout) -> list[str]:
        """What certificates say nothing of, for people who judge a release."""
        plan = self._plan()
        route = plan.routes.get(rollout.route)
        try:
            coming = None if route is None else self._coming(rollout, route)
        except ValueError:
            return []  # which is what it waits for
        if coming is None:
            return []
        found = []
        if "parameters" in rollout.members:
            found.append(
                "its parameters stand before those of its prompt, and no certificate is about "
                "them: `tidegate gate --candidate-parameter` tries them, its guards judge them"
            )
        if coming.wanted.version is None and coming.wanted.tag != STABLE:
            found.append(
                f"its prompt is what the tag {coming.wanted.tag} points at, which moves freely and "
                "is released then: name a version"
            )
        if "fallbacks" in rollout.members:
            found.append("what it falls back to needs no certificate: uncertified_pair tells of it")
        return found

    def _applies(self, rollout: Rollout) -> bool:
        if CERTIFICATE in rollout.gates:
            return True
        declared = self._declared()
        is_off = declared.prompts is None or declared.prompts.certificates == "off"
        is_known = bool(declared.routes)
        return not (is_known and is_off) and not _TOUCHING.isdisjoint(rollout.members)

    def _wanted(self, rollout: Rollout) -> list[tuple[Prompt, frozenset[str]]]:
        """The versions and models that have to be certified. ValueError where nobody knows them."""
        plan = self._plan()
        route = plan.routes.get(rollout.route)
        if route is None:
            raise ValueError(f"the plan has no route {rollout.route}")
        is_named = CERTIFICATE in rollout.gates
        beside = route.candidates if rollout.orthogonal else ()
        # Once either is promoted the other is asked as both say.
        bases = (route, *(it.route for it in beside if it.rollout != rollout.id))
        coming = [it for base in bases if (it := self._coming(rollout, base)) is not None]
        if is_named and not coming:
            raise ValueError("its route is asked by no prompt, so nothing of it is certified")
        found = [pair for one in coming for pair in self._pairs(plan, one)]
        if is_named:
            return found
        pairs = ((prompt, models - _own(plan, route, prompt)) for prompt, models in found)
        return [(prompt, models) for prompt, models in pairs if models]

    def _pairs(self, plan: Plan, coming: Coming) -> Iterator[tuple[Prompt, frozenset[str]]]:
        """ValueError."""
        version = self._version(plan, coming.wanted)
        yield version, coming.models
        tagged = plan.prompts.get(coming.wanted.name)
        stable = None if tagged is None else tagged.at(STABLE)
        if stable is not None and STABLE in coming.wanted.tags:
            yield stable, coming.models  # which its callers may ask for

    def _coming(self, rollout: Rollout, route: Route) -> Coming | None:
        """None where it would be asked by no prompt. ValueError."""
        said = self._said.get(rollout.digest)
        if said is None:
            said = self._said[rollout.digest] = _said(rollout)
        wanted = said.prompt if "prompt" in rollout.members else route.prompt
        if wanted is None:
            return None
        if not self._declared().routes:
            raise ValueError(_NO_FILE)
        if said.targets is None:
            return Coming(wanted, models_at(route))
        return Coming(wanted, frozenset(_model(it, self._declared()) for it in said.targets))

    def _version(self, plan: Plan, wanted: RoutePrompt) -> Prompt:
        """As it serves, or would: a version that nothing has served yet as it lies there."""
        served = version_of(plan, wanted)
        if served is not None:
            return served
        if wanted.version is None:
            raise ValueError(f"no version of the prompt {wanted.name} has the tag {wanted.tag}")
        snapshot = self._reading.snapshot
        of, known = self._versions
        if of is not snapshot:
            known = {}
            self._versions = snapshot, known
        place = wanted.name, wanted.version
        if place not in known:
            known[place] = _read(snapshot, *place)
        found = known[place]
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _papers(self, connection: Connection, digests: set[str]) -> dict[str, list[Certificate]]:
        stamp = certificates.stamp(connection)
        if self._known.stamp != stamp:
            self._known = Known(stamp, {})
        known = self._known.of
        unknown = digests - known.keys()
        if unknown:
            known |= certificates.of_each(connection, unknown)
        return known

    def _told(self, rollout: Rollout, lacking: list[Uncertified]) -> tuple[str, ...]:
        plan = self._plan()
        words = tuple(
            f"{it.prompt}@{it.version} at {it.model}: {it.why}; {_how(plan, rollout.route, it)}"
            for it in lacking[:_MOST_TOLD]
        )
        more = len(lacking) - len(words)
        return (*words, f"{more} more") if more else words


def _said(rollout: Rollout) -> Said:
    """ValueError."""
    members, prompt, targets = rollout.members, None, None
    if "prompt" in members:
        said: DeclaredRoutePrompt | None = value_of("prompt", members["prompt"])
        if said is not None:
            prompt = RoutePrompt(said.name, said.tag, said.version, said.allow_tags)
    if "target" in members:
        one: str | DeclaredTarget | None = value_of("target", members["target"])
        several: dict[str, float] = value_of("targets", members["targets"])
        targets = tuple(several) if one is None else (one,)
    return Said(prompt, targets)


def _read(snapshot: Snapshot | None, name: str, version: str) -> Prompt | str:
    """The version, or what is wrong with it."""
    if snapshot is None:
        return f"{name}@{version} cannot be read: no prompts were read yet"
    try:
        return snapshot.version(name, version)
    except ValueError as error:
        return f"{name}@{version} cannot be read: {error}"


def _model(wanted: str | DeclaredTarget, declared: Declared) -> str:
    """As its provider calls it. ValueError where there is no such target."""
    if isinstance(wanted, DeclaredTarget):
        return wanted.model
    if wanted in declared.targets:
        return declared.targets[wanted].model
    if wanted in (adapters := adapters_of(declared.targets)):
        return adapters[wanted][1].name
    _, slash, model = wanted.partition("/")
    if not slash:
        raise ValueError(f"the plan has no target {wanted}")
    return model


def _own(plan: Plan, route: Route, prompt: Prompt) -> frozenset[str]:
    """The models at which its route asks by the same version already, or may."""
    wanted = route.prompt
    if wanted is None or wanted.name != prompt.name:
        return frozenset()
    own, tagged = version_of(plan, wanted), plan.prompts.get(prompt.name)
    stable = tagged.at(STABLE) if tagged is not None and STABLE in wanted.tags else None
    is_asked = any(it is not None and it.digest == prompt.digest for it in (own, stable))
    return models_at(route) if is_asked else frozenset()


def _how(plan: Plan, name: str, lacking: Uncertified) -> str:
    """The command that gates it: at its route where that asks the model alone, or at another that
    does."""
    alone = [route.name for route in plan.routes.values() if models_at(route) == {lacking.model}]
    tagged = plan.prompts.get(lacking.prompt)
    stable = None if tagged is None else tagged.tags.get(STABLE)
    command = f"tidegate gate {lacking.prompt} --candidate {lacking.version}"
    if name in alone:
        usual = stable is not None and stable != lacking.version
        return f"run `{command} --route {name}{'' if usual else ' --baseline none'}`"
    command += f" --candidate-route {min(alone, default='ROUTE')}"
    before = "--baseline none" if stable is None else f"--baseline {stable} --baseline-route {name}"
    at = "" if alone else f", where ROUTE is one whose target is {lacking.model}"
    return f"run `{command} {before}`{at}"


def of_nobody(kept: Iterable[Kept]) -> dict[str, tuple[str, ...]]:
    """`ReleaseCertificates.missing` where nobody certifies: who names the gate waits."""
    why = ("this control signs no certificates; take `certificate` out of its gates, or waive it",)
    asked = (one for one in kept if one.state in _GATED and CERTIFICATE in one.rollout.gates)
    return {one.rollout.id: why for one in asked}


def certificates_of(plans: Plans, compiling: Compiling) -> ReleaseCertificates | None:
    """Of this control; None where nobody certifies."""
    if compiling.certifying is None:
        return None
    return ReleaseCertificates(
        compiling.certifying, compiling.prompts, lambda: plans.current, lambda: plans.declared
    )
