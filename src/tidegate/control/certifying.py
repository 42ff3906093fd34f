"""What may be `stable`: a version that has a certificate for every model that it is asked at.

The tag that a repository moves there without one stays where it was, and that is told. A prompt
whose `stable` never pointed anywhere begins without: there is nothing yet that it could be worse
than. What was certified and is not any more (another model below the route, another snapshot at
the provider, the end of its time) serves on, and is told as `uncertified_pair`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine

from tidegate.control.certified import (
    Certified,
    Fingerprints,
    Snapshots,
    Uncertified,
    models_of,
    served_pairs,
)
from tidegate.core import clock
from tidegate.core.certificate import Certificate, signed
from tidegate.core.declared_prompts import OfFingerprints
from tidegate.core.plan import Plan
from tidegate.core.prompt import STABLE, Prompt, PromptSource, Stood
from tidegate.stores import certificates, database, prompts

# A provider that answers as another than lately has moved on.
_LATELY_S: Final = 3600.0
# How old what is known of that may be.
SNAPSHOTS_S: Final = 60.0


class CertifiedSource:
    """A source of prompts (`core.prompt.PromptSource`) whose `stable` moves only to what is
    certified (`certified` None: to anything), and which leaves what routes are asked by as it is
    served where it is not to be had any more, or says something else. `stood` is where `stable`
    of each prompt pointed, the last one last: it may go back. `refused` are the moves that were not
    made, `held` their versions and the models that these wait for, `kept` tells of what serves on.
    """

    def __init__(
        self,
        source: PromptSource,
        plan: Plan | None,
        certified: Certified | None,
        stood: Callable[[str], tuple[Stood, ...]] = lambda _: (),
    ) -> None:
        self._source = source
        self._plan = plan
        self._certified = certified
        self._stood = stood
        self.refused: list[Uncertified] = []
        self.held: list[tuple[Prompt, frozenset[str]]] = []
        self.kept: dict[str, None] = {}

    def names(self) -> Iterable[str]:
        return self._source.names()

    def version(self, name: str, version: str) -> Prompt:
        served = None if self._plan is None else self._plan.prompts.get(name)
        known = None if served is None else served.versions.get(version)
        try:
            found = self._source.version(name, version)
        except ValueError as error:
            if known is None:
                raise
            self.kept[f"{error}; {name}@{version} serves on as it was"] = None
            return known
        if known is not None and known.digest != found.digest:
            what = "says something else than what is served by this name; write a new version"
            self.kept[f"{name}@{version} {what}; it serves on as it was"] = None
            return known
        return found

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
        before = self._before(name)
        if self._certified is None or STABLE not in tags or before is None:
            return tags
        if before.version == tags[STABLE]:
            return tags
        if any(it.version == tags[STABLE] for it in self._stood(name)):
            return tags  # where it was is never gated: what a version says does not change
        try:
            wanted = self._source.version(name, tags[STABLE])
        except ValueError:
            return tags  # which is told where it is wanted
        models = frozenset() if self._plan is None else models_of(self._plan, wanted)
        missing = self._certified.missing(wanted, models)
        if not missing or wanted.digest == before.digest:
            return tags
        self.refused += missing
        self.held.append((wanted, models))
        if self._is_there(name, before):
            return {**tags, STABLE: before.version}
        return {tag: version for tag, version in tags.items() if tag != STABLE}

    def _before(self, name: str) -> Stood | None:
        """Where `stable` points now; where it points nowhere, where it did last."""
        served = None if self._plan is None else self._plan.prompts.get(name)
        now = None if served is None else served.at(STABLE)
        if now is not None:
            return Stood(now.version, now.digest)
        return next(reversed(self._stood(name)), None)

    def _is_there(self, name: str, stood: Stood) -> bool:
        try:
            return self.version(name, stood.version).digest == stood.digest
        except ValueError:
            return False

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


class _Remembered:
    """Where `stable` of prompts pointed, read once when it is asked for: of one prompt, or, where
    many are going to be asked for, of the whole store. StoreError."""

    def __init__(self, engine: Engine, *, whole: bool) -> None:
        self._engine = engine
        self._whole = whole
        self._known: dict[str, tuple[Stood, ...]] | None = None

    def of(self, name: str) -> tuple[Stood, ...]:
        if self._known is None or not (self._whole or name in self._known):
            known = self._known or {}
            with database.reading(self._engine) as connection:
                found = prompts.stood(connection, None if self._whole else (name,))
            self._known = {**known, name: (), **found}
        return self._known.get(name, ())


def _served(plan: Plan) -> tuple[dict[str, Stood], dict[tuple[str, str], str]]:
    """Where `stable` of each prompt points, and the digests of versions that no tag points at."""
    stable, named = {}, {}
    for tagged in plan.prompts.values():
        at, by_tag = tagged.at(STABLE), set(tagged.tags.values())
        if at is not None:
            stable[tagged.name] = Stood(at.version, at.digest)
        for version in tagged.versions.keys() - by_tag:
            named[tagged.name, version] = tagged.versions[version].digest
    return stable, named


class _Served(NamedTuple):
    """What providers said of themselves, and when that was looked at."""

    at_s: float
    snapshots: Snapshots
    fingerprints: Fingerprints


class Certifying:
    """The certificates of this installation. `fingerprints` says what another build of a model
    does to them. Each method may raise StoreError."""

    def __init__(
        self,
        engine: Engine,
        secrets: tuple[bytes, ...],
        current: Callable[[], Plan | None],
        fingerprints: Callable[[], OfFingerprints] = lambda: "void",
    ) -> None:
        self._engine = engine
        self._secrets = secrets
        self._current = current
        self._of_fingerprints = fingerprints
        self._guarded: CertifiedSource | None = None
        self._noted: Plan | None = None
        self._noted_stable: dict[str, Stood] = {}
        self._noted_named: dict[tuple[str, str], str] = {}
        self._served = _Served(0.0, {}, {})

    def now(self) -> Certified:
        """What holds now, by what providers said when it was looked at last."""
        return self._certified(self._kept, clock.wall_s())

    def of(
        self,
        connection: Connection,
        kept: Callable[[str], Iterable[Certificate]],
        now_s: float,
    ) -> Certified:
        """What holds then of these certificates, by what the providers say of themselves too."""
        self._look_at_served(connection, now_s)
        return self._certified(kept, now_s)

    def _look_at_served(self, connection: Connection, now_s: float) -> None:
        if not 0 <= now_s - self._served.at_s < SNAPSHOTS_S:
            since_s, is_off = now_s - _LATELY_S, self._of_fingerprints() == "off"
            snapshots = certificates.snapshots_served(connection, since_s)
            told = {} if is_off else certificates.fingerprints_served(connection, since_s)
            self._served = _Served(now_s, snapshots, told)

    def _certified(
        self,
        kept: Callable[[str], Iterable[Certificate]],
        now_s: float,
        counting: tuple[OfFingerprints, ...] = ("void",),
    ) -> Certified:
        """`counting` is where another build counts."""
        _, snapshots, fingerprints = self._served
        counted = fingerprints if self._of_fingerprints() in counting else None
        return Certified(kept, self._secrets, now_s, snapshots, counted)

    def guarded(self, source: PromptSource, *, required: bool = True) -> PromptSource:
        """The source as it may be served."""
        plan = self._current()
        self.note(plan)
        stood = _Remembered(self._engine, whole=plan is None)
        found = CertifiedSource(source, plan, self.now() if required else None, stood.of)
        for name in source.names():  # certificates are read now, before a transaction is open
            found.allowed(name, source.tags(name) or {})
        found.refused.clear()
        found.held.clear()
        found.kept.clear()
        self._guarded = found
        return found

    def note(self, plan: Plan | None) -> None:
        """Remember what a plan serves: where `stable` points, and what versions say that no tag
        points at. A tag that goes and comes back is no first one."""
        if plan is None or plan is self._noted:
            return
        stable, named = _served(plan)
        fresh = {name: it for name, it in stable.items() if self._noted_stable.get(name) != it}
        new = {place: digest for place, digest in named.items() if place not in self._noted_named}
        if fresh or new:
            now_s = clock.wall_s()
            with database.writing(self._engine) as connection:
                prompts.note_stood(connection, fresh, now_s)
                if new:
                    prompts.note_versions(connection, new, now_s)
        self._noted, self._noted_stable, self._noted_named = plan, stable, named

    def was_stable(self, prompt: Prompt) -> bool:
        """Whether `stable` pointed there, and has not gone back from it: it may go back to it."""
        self.note(self._current())
        stood = _Remembered(self._engine, whole=False).of(prompt.name)
        return Stood(prompt.version, prompt.digest) in stood

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
        """Of every version that is served as certified, and each model that it may be asked at, by
        prompt and model: what is not certified of it."""
        now_s = clock.wall_s()
        with database.reading(self._engine) as connection:
            self._look_at_served(connection, now_s)
            certified = self._certified(self._kept, now_s, ("void", "tell"))
        found: dict[tuple[str, str], Uncertified | None] = {}
        for prompt, model, told in served_pairs(plan):
            missing = certified.missing(prompt, [model])
            why = f"{missing[0].why}; {told}" if missing and told else ""
            one = missing[0]._replace(why=why or missing[0].why) if missing else None
            place = prompt.name, model
            found[place] = found.get(place) or one
        return found

    def sign(self, certificate: Certificate) -> Certificate:
        return signed(certificate, self._secrets[-1])

    def _kept(self, digest: str) -> list[Certificate]:
        with database.reading(self._engine) as connection:
            return certificates.of(connection, digest)
