"""Which version is certified at which model, and at which models a version is asked. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from tidegate.core.certificate import Certificate, Fingerprint, is_signed
from tidegate.core.plan import Plan, Route
from tidegate.core.prompt import STABLE, Prompt, RoutePrompt

# What providers said lately had answered, and when last, by prompt, version and model.
Snapshots = Mapping[tuple[str, str, str], Mapping[str, float]]
# The builds that providers said had answered, and when last, by the same.
Fingerprints = Mapping[tuple[str, str, str], Mapping[Fingerprint, float]]
# In place of a model's name: of a version that nothing asks for, one model is enough.
ANY: Final = "any model"
_NEVER: Final = "no gate was passed"


class Uncertified(NamedTuple):
    """A version at a model, and why that is not certified."""

    prompt: str
    version: str
    model: str
    why: str

    def __str__(self) -> str:
        return f"uncertified_pair: {self.prompt}@{self.version} at {self.model}: {self.why}"


class Certified:
    """What of the certificates holds at one moment. `kept` gives those of a version's digest, the
    newest first, `secrets` are those that they may be signed with."""

    def __init__(
        self,
        kept: Callable[[str], Iterable[Certificate]],
        secrets: tuple[bytes, ...],
        now_s: float,
        snapshots: Snapshots | None = None,
        fingerprints: Fingerprints | None = None,
    ) -> None:
        self._kept = kept
        self._secrets = secrets
        self._now_s = now_s
        self._snapshots = snapshots or {}
        self._fingerprints = fingerprints or {}
        self._known: dict[str, list[Certificate]] = {}
        self._whys: dict[tuple[str, str, str, str], str | None] = {}

    def missing(self, prompt: Prompt, models: Iterable[str]) -> list[Uncertified]:
        """At which of the models it is not certified, and why. Where there are none it has to be
        certified at one, whichever."""
        wanted = sorted(set(models))
        if wanted:
            found = {model: self._why_not(prompt, model) for model in wanted}
        else:
            tried = sorted({it.model for it in self._of(prompt)})
            whys = [self._why_not(prompt, model) for model in tried] or [_NEVER]
            found = {ANY: None if None in whys else whys[0]}
        return [
            Uncertified(prompt.name, prompt.version, model, why)
            for model, why in found.items()
            if why is not None
        ]

    def _of(self, prompt: Prompt) -> list[Certificate]:
        """What is signed is its body: the row that it lies in proves nothing."""
        if prompt.digest not in self._known:
            self._known[prompt.digest] = list(self._kept(prompt.digest))
        return [it for it in self._known[prompt.digest] if it.digest == prompt.digest]

    def _why_not(self, prompt: Prompt, model: str) -> str | None:
        place = prompt.name, prompt.version, prompt.digest, model
        if place not in self._whys:
            self._whys[place] = self._looked_at(prompt, model)
        return self._whys[place]

    def _looked_at(self, prompt: Prompt, model: str) -> str | None:
        kept = [it for it in self._of(prompt) if it.model == model]
        if not kept:
            return _NEVER
        genuine = [it for it in kept if is_signed(it, self._secrets)]
        if not genuine:
            return "its certificate was not written by this installation"
        valid = [it for it in genuine if it.is_valid(self._now_s)]
        if not valid:
            return "its certificate has expired"
        known, newest = {it.snapshot for it in valid}, max(valid, key=lambda it: it.issued_at_s)
        since_s = newest.issued_at_s  # what answered before was known then
        served = self._snapshots.get((prompt.name, prompt.version, model), {})
        other = sorted(it for it, at_s in served.items() if it not in known and at_s > since_s)
        if other and newest.snapshot is not None:
            return f"the provider answers as {other[0]} now, which was not tried"
        return _another_build(
            valid, newest, self._fingerprints.get((prompt.name, prompt.version, model), {})
        )


def _another_build(
    valid: Iterable[Certificate], newest: Certificate, served: Mapping[Fingerprint, float]
) -> str | None:
    """Which build has answered since the newest of what is valid, and in no run of it; None of a
    provider that told none when that was written."""
    known = {it for one in valid for it in one.fingerprints}
    telling = {it.provider for it in newest.fingerprints}
    other = sorted(
        it
        for it, at_s in served.items()
        if it.provider in telling and it not in known and at_s > newest.issued_at_s
    )
    if not other:
        return None
    provider, told = other[0].provider, other[0].fingerprint
    return f"{provider} answers with the fingerprint {told} now, which was not tried"


def models_of(plan: Plan, prompt: Prompt, tag: str = STABLE) -> frozenset[str]:
    """The models that a tag's version is asked at: those that it is pinned to, and those of every
    route, and of every release under way, that is asked by the tag."""
    found = {pin.model for pin in prompt.pins}
    for route, wanted in _asked_by(plan):
        if wanted.name == prompt.name and tag in wanted.tags:
            found |= models_at(route)
    return frozenset(found)


class ServedPair(NamedTuple):
    """A version at a model that it may be asked at; `told` is what more is to be said of that."""

    prompt: Prompt
    model: str
    told: str = ""


def served_pairs(plan: Plan) -> Iterator[ServedPair]:
    """Of every prompt's `stable`, of the versions that routes name, and of what releases under way
    are asked by: each model that they may be asked at, also as a fallback."""
    for tagged in plan.prompts.values():
        stable = tagged.at(STABLE)
        if stable is not None:
            yield from (ServedPair(stable, it) for it in sorted(models_of(plan, stable)))
    coming = {id(it.route) for route in plan.routes.values() for it in route.candidates}
    for route, wanted in _asked_by(plan):
        own, is_named = version_of(plan, wanted), wanted.version is not None or id(route) in coming
        if own is not None and is_named:
            yield from (ServedPair(own, it) for it in sorted(models_at(route)))
        if own is not None and (is_named or wanted.tag == STABLE):
            beyond = {it.model for _, targets in route.fallbacks for it in targets}
            beyond |= {it.model for it in route.rung_targets}
            told = f"the route {route.name} falls back to it"
            yield from (ServedPair(own, it, told) for it in sorted(beyond - models_at(route)))


def version_of(plan: Plan, wanted: RoutePrompt) -> Prompt | None:
    """What a route is asked by where its callers say nothing; None where the plan has no such."""
    tagged = plan.prompts.get(wanted.name)
    if tagged is None:
        return None
    return tagged.versions.get(wanted.version or tagged.tags.get(wanted.tag, ""))


def _asked_by(plan: Plan) -> Iterator[tuple[Route, RoutePrompt]]:
    """Every route, and every release under way, that is asked by a prompt."""
    for route in plan.routes.values():
        for one in (route, *(it.route for it in route.candidates)):
            if one.prompt is not None:
                yield one, one.prompt


def models_at(route: Route) -> frozenset[str]:
    """Those that it asks, but for what it falls back to."""
    return frozenset(share.target.model for share in route.release.shares)
