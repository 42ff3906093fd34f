"""What may be `stable`: a version that has a certificate for every model that it is asked at.

The tag that a repository moves there without one stays where it was, and that is told. A prompt
whose `stable` never pointed anywhere begins without: there is nothing yet that it could be worse
than. What was certified and is not any more (another model below the route, another snapshot at
the provider, the end of its time) serves on, and is told as `uncertified_pair`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Engine

from tidegate.core import clock
from tidegate.core.certificate import Certificate, is_signed, signed
from tidegate.core.plan import Plan
from tidegate.core.prompt import STABLE, Prompt, PromptSource
from tidegate.stores import certificates, database

# A provider that answers as another than lately has moved on.
_LATELY_S: Final = 3600.0


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
    newest first, `secrets` are those that they may be signed with. `snapshots` are what providers
    said lately had answered, by prompt, version and model."""

    def __init__(
        self,
        kept: Callable[[str], Iterable[Certificate]],
        secrets: tuple[bytes, ...],
        now_s: float,
        snapshots: Mapping[tuple[str, str, str], frozenset[str]] | None = None,
    ) -> None:
        self._kept = kept
        self._secrets = secrets
        self._now_s = now_s
        self._snapshots = snapshots or {}
        self._known: dict[str, list[Certificate]] = {}

    def missing(self, prompt: Prompt, models: Iterable[str]) -> list[Uncertified]:
        """At which of the models it is not certified, and why."""
        found = []
        for model in sorted(set(models)):
            why = self._why_not(prompt, model)
            if why is not None:
                found.append(Uncertified(prompt.name, prompt.version, model, why))
        return found

    def _why_not(self, prompt: Prompt, model: str) -> str | None:
        if prompt.digest not in self._known:
            self._known[prompt.digest] = list(self._kept(prompt.digest))
        # What is signed is its body: the row that it lies in proves nothing.
        of_it = [it for it in self._known[prompt.digest] if it.digest == prompt.digest]
        kept = [it for it in of_it if it.model == model]
        if not kept:
            return "no gate was passed"
        genuine = [it for it in kept if is_signed(it, self._secrets)]
        if not genuine:
            return "its certificate was not written by this installation"
        valid = [it for it in genuine if it.is_valid(self._now_s)]
        if not valid:
            return "its certificate has expired"
        served = self._snapshots.get((prompt.name, prompt.version, model), frozenset())
        known = {it.snapshot for it in valid}
        other = sorted(served - {it for it in known if it is not None})
        if other and None not in known:
            return f"the provider answers as {other[0]} now, which was not tried"
        return None


def models_of(plan: Plan, prompt: Prompt, tag: str = STABLE) -> frozenset[str]:
    """The models that a tag's version is asked at: those that it is pinned to, and those of every
    route that is asked by the tag."""
    found = {pin.model for pin in prompt.pins}
    for route in plan.routes.values():
        wanted = route.prompt
        if wanted is None or wanted.name != prompt.name:
            continue
        if tag in wanted.tags:
            found |= {share.target.model for share in route.release.shares}
    return frozenset(found)


class CertifiedSource:
    """A source of prompts (`core.prompt.PromptSource`) whose `stable` moves only to what is
    certified (`certified` None: to anything), and which leaves what routes are asked by as it is
    served where it is not to be had any more. `refused` are the moves that were not made, `held`
    their versions and the models that these wait for, `kept` tells of what serves on."""

    def __init__(
        self, source: PromptSource, plan: Plan | None, certified: Certified | None
    ) -> None:
        self._source = source
        self._plan = plan
        self._certified = certified
        self.refused: list[Uncertified] = []
        self.held: list[tuple[Prompt, frozenset[str]]] = []
        self.kept: dict[str, None] = {}

    def names(self) -> Iterable[str]:
        return self._source.names()

    def version(self, name: str, version: str) -> Prompt:
        try:
            return self._source.version(name, version)
        except ValueError as error:
            served = None if self._plan is None else self._plan.prompts.get(name)
            known = None if served is None else served.versions.get(version)
            if known is None:
                raise
            self.kept[f"{error}; {name}@{version} serves on as it was"] = None
            return known

    def tags(self, name: str) -> Mapping[str, str] | None:
        return self._source.tags(name)

    def allowed(
        self, name: str, tags: Mapping[str, str], moved: Collection[str] = ()
    ) -> Mapping[str, str]:
        lost = self._needed(name).items() - tags.items()
        kept = {tag: it for tag, it in lost if tag not in tags and tag not in moved}
        for tag, version in kept.items():
            what = f"the tag {tag} is gone, and routes are asked by it"
            self.kept[f"{name}: {what}: {version} serves on"] = None
        return self._guarded(name, {**tags, **kept})

    def _guarded(self, name: str, tags: Mapping[str, str]) -> Mapping[str, str]:
        if self._certified is None or STABLE not in tags or self._plan is None:
            return tags
        served = self._plan.prompts.get(name)
        before = None if served is None else served.at(STABLE)
        if before is None or before.version == tags[STABLE]:
            return tags
        try:
            wanted = self._source.version(name, tags[STABLE])
        except ValueError:
            return tags  # which is told where it is wanted
        models = models_of(self._plan, wanted)
        missing = self._certified.missing(wanted, models)
        if not missing or wanted.digest == before.digest:
            return tags
        self.refused += missing
        self.held.append((wanted, models))
        return {**tags, STABLE: before.version}

    def _needed(self, name: str) -> dict[str, str]:
        """The tags that routes are asked by now, with what serves for each."""
        served = None if self._plan is None else self._plan.prompts.get(name)
        if self._plan is None or served is None:
            return {}
        routes = [*self._plan.routes.values()]
        routes += [one.route for route in routes for one in route.candidates]
        wanted = [it.prompt for it in routes if it.prompt is not None and it.prompt.name == name]
        asked = {it.tag for it in wanted if it.version is None}
        return {tag: version for tag, version in served.tags.items() if tag in asked}


class Certifying:
    """The certificates of this installation. Each method may raise StoreError."""

    def __init__(
        self, engine: Engine, secrets: tuple[bytes, ...], current: Callable[[], Plan | None]
    ) -> None:
        self._engine = engine
        self._secrets = secrets
        self._current = current
        self._guarded: CertifiedSource | None = None

    def now(self) -> Certified:
        """What holds now."""
        return Certified(self._kept, self._secrets, clock.wall_s())

    def guarded(self, source: PromptSource, *, required: bool = True) -> PromptSource:
        """The source as it may be served."""
        certified = self.now() if required else None
        found = CertifiedSource(source, self._current(), certified)
        for name in source.names():  # certificates are read now, before a transaction is open
            found.allowed(name, source.tags(name) or {})
        found.refused.clear()
        found.held.clear()
        found.kept.clear()
        self._guarded = found
        return found

    @property
    def problems(self) -> tuple[str, ...]:
        """What of the prompts is not obeyed, as a plan was compiled last."""
        found = self._guarded
        return () if found is None else (*found.kept, *dict.fromkeys(map(str, found.refused)))

    def is_cleared(self) -> bool:
        """Whether what was not certified as a plan was compiled last is certified now."""
        held = [] if self._guarded is None else list(self._guarded.held)
        now = self.now()
        return any(not now.missing(prompt, models) for prompt, models in held)

    def uncertified(self, plan: Plan) -> dict[tuple[str, str], Uncertified | None]:
        """Of every prompt's `stable` and each model that it is asked at, by prompt and model: what
        is not certified of it, by what the providers say of themselves too."""
        now_s = clock.wall_s()
        with database.reading(self._engine) as connection:
            snapshots = certificates.snapshots_served(connection, now_s - _LATELY_S)
        certified = Certified(self._kept, self._secrets, now_s, snapshots)
        found: dict[tuple[str, str], Uncertified | None] = {}
        for tagged in plan.prompts.values():
            prompt = tagged.at(STABLE)
            models = frozenset() if prompt is None else models_of(plan, prompt)
            if prompt is not None:
                found |= {(prompt.name, model): None for model in models}
                found |= {(it.prompt, it.model): it for it in certified.missing(prompt, models)}
        return found

    def sign(self, certificate: Certificate) -> Certificate:
        return signed(certificate, self._secrets[-1])

    def _kept(self, digest: str) -> list[Certificate]:
        with database.reading(self._engine) as connection:
            return certificates.of(connection, digest)
