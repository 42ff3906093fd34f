"""A route, ready: what shares its requests, what they may fall back on, and the dearest of it."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.arm import Arm, Lane, UnitKind, dial_scope
from tidegate.core.ask import Ask
from tidegate.core.ladder import QUALITIES, Rung, RungReason
from tidegate.core.plan import Candidate, Release, Route, Target
from tidegate.core.price import Price
from tidegate.core.pricing import Ceiling
from tidegate.core.resilience import FailureClass
from tidegate.gateway.addition import Addition, addition_of
from tidegate.gateway.cache_key import PreparedCache, prepare_cache
from tidegate.gateway.contract import PreparedContract
from tidegate.gateway.copies import Copies
from tidegate.gateway.first_versions import FirstVersions
from tidegate.gateway.prepared_guardrails import PreparedGuardrails
from tidegate.gateway.prepared_target import PreparedTarget, Priced
from tidegate.gateway.prompt_versions import PreparedPrompt
from tidegate.gateway.retry_budget import RetryBudget
from tidegate.gateway.vector_key import PreparedVectors, prepare_vectors

_QUALITIES: Final[frozenset[RungReason]] = frozenset(QUALITIES)
NO_TARGET: Final = "everything that serves that model is switched off by its operators for now"


class PreparedShare(Struct, eq=False):
    """A target, and its part of a route's requests."""

    target: PreparedTarget
    weight: float


class Dearest(Struct):
    """What holds are reckoned by where nobody knows yet which target will serve."""

    target: Target
    ceiling: Ceiling | None
    prices: tuple[Price | None, ...]


class PreparedRoute(Struct, eq=False):
    """One route. `target` is the first of its release, `alone` where it is the only one; `bound`
    is what its callers' holds are reckoned by. `candidate` is a release on its way onto it,
    `beside` a second one, `warm` what the last ones replaced, `addition` what it adds to its chats,
    `prompt` what its models are asked by, `cache` by which keys its answers are kept, and
    `vectors` those of embeddings; `told` are headers that one answer has beside `heads`.
    `guardrails` look through its texts. `off` says why nothing of it is served now, and
    `output_cap_tokens` bounds its answers, while a change in force has it so. `ladder` is what
    serves when it cannot."""

    route: Route
    target: PreparedTarget
    pool: tuple[PreparedShare, ...]
    fallbacks: Mapping[FailureClass, tuple[PreparedTarget, ...]]
    bound: Priced
    budget: RetryBudget
    heads: Mapping[str, bytes]
    alone: bool
    contract: PreparedContract | None
    candidate: "PreparedCandidate | None" = None
    beside: "PreparedCandidate | None" = None
    warm: tuple[PreparedTarget, ...] = ()
    addition: Addition | None = None
    prompt: PreparedPrompt | None = None
    told: bytes = b""
    off: str | None = None
    output_cap_tokens: int | None = None
    cache: PreparedCache | None = None
    vectors: PreparedVectors | None = None
    ladder: "PreparedLadder | None" = None
    guardrails: PreparedGuardrails | None = None

    @property
    def release(self) -> Release:
        return self.route.release

    @property
    def off_but_chats(self) -> str | None:
        """Why nothing of it is served now that is no chat, for which alone a ladder is there."""
        empty = self.ladder is not None and self.ladder.empty
        return self.off or (NO_TARGET if empty else None)

    @property
    def candidates(self) -> "tuple[PreparedCandidate, ...]":
        """The releases that are under way on it."""
        return tuple(it for it in (self.candidate, self.beside) if it is not None)

    def targets(self) -> list[PreparedTarget]:
        """Every target that may serve it, its ladder's not among them, each once."""
        found = {share.target.target.name: share.target for share in self.pool}
        for targets in self.fallbacks.values():
            found |= {target.target.name: target for target in targets}
        return list(found.values())

    def reachable(self) -> list[PreparedTarget]:
        """The same, with those of its ladder, of its candidates and what is kept warm."""
        coming = [target for one in self.candidates for target in one.route.targets()]
        rungs = () if self.ladder is None else self.ladder.targets()
        every = (*self.targets(), *rungs, *coming, *self.warm)
        return list({target.target.name: target for target in every}.values())

    def serving(self, ask: Ask) -> list[PreparedShare]:
        return [share for share in self.pool if share.target.serves(ask)]


class PreparedRung(Struct, eq=False):
    """One rung of a ladder. `number` counts from 1; `words` lead here. `route` is there where it
    has a target of its own, with what is asked there; else the route's own is. `addition` and
    `prompt` stand in the place of the route's. `off`: its target is asked nothing now."""

    rung: Rung
    number: int
    words: frozenset[RungReason]
    route: PreparedRoute | None = None
    addition: Addition | None = None
    prompt: PreparedPrompt | None = None
    off: bool = False

    @property
    def asks(self) -> bool:
        return self.rung.kind == "model"


class PreparedLadder(Struct, eq=False):
    """A route's rungs in order. Its requests begin at the rung `floor` (0: at the route itself),
    for that `reason`, as changes in force have it; `empty`: nothing of the route's own may be
    asked. By the number of a rung, 0 is the route's: `words` are all that rungs further down are
    there for, and `patience` is how long after its arrival a whole answer is waited for, and a
    stream, where one of them is there for what is slow; `judges` says that one is there for
    answers that are no good."""

    rungs: tuple[PreparedRung, ...]
    floor: int = 0
    reason: RungReason = "floor"
    empty: bool = False
    words: tuple[frozenset[RungReason], ...] = ()
    patience: tuple[tuple[float | None, float | None], ...] = ()
    judges: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        words: list[frozenset[RungReason]] = [frozenset()]
        patience: list[tuple[float | None, float | None]] = [(None, None)]
        for rung in reversed(self.rungs):
            words.append(words[-1] | rung.words)
            when, (whole_s, stream_s) = rung.rung.when, patience[-1]
            if not rung.off:
                whole_s, stream_s = (
                    when.slow_answer_s or whole_s,
                    when.slow_first_token_s or stream_s,
                )
            patience.append((whole_s, stream_s))
        self.words, self.patience = tuple(words[::-1]), tuple(patience[::-1])
        self.judges = tuple(not _QUALITIES.isdisjoint(of_rung) for of_rung in self.words)

    def targets(self) -> list[PreparedTarget]:
        return [it.route.target for it in self.rungs if it.route is not None]

    def below(
        self, number: int, words: Iterable[RungReason]
    ) -> "list[tuple[PreparedRung, RungReason]]":
        """Those further down than `number` that any of these lead to, with the first that does."""
        found = []
        for one in self.rungs[number:]:
            reason = next((word for word in words if word in one.words), None)
            if reason is not None:
                found.append((one, reason))
        return found

    def without(self, off: frozenset[str]) -> "PreparedLadder":
        """As it is while these targets are asked nothing."""
        if all(target.target.name not in off for target in self.targets()):
            return self
        rungs = [
            replace(it, off=it.route is not None and it.route.target.target.name in off)
            for it in self.rungs
        ]
        return replace(self, rungs=tuple(rungs))

    def beginning(self, floor: int, reason: RungReason = "floor") -> "PreparedLadder":
        """As it is while its requests begin at that rung, or at the last where there are fewer."""
        floor = min(floor, len(self.rungs))
        return self if floor <= self.floor else replace(self, floor=floor, reason=reason)


class PreparedCandidate(Struct, eq=False):
    """A release on its way onto a route. `route` is what its requests obey; without a `lane` all
    units may be its own. Its dials are held for `scope`. `named`: the file names
    some for it or against it. `weight`, its share of the units, and `shadow_share`, of requests
    that are copied to it, are what the changes in force say: nobody gets it without one."""

    rollout: str
    salt: str
    route: PreparedRoute
    units: tuple[UnitKind, ...]
    always: frozenset[str]
    never: frozenset[str]
    shadow_nanousd: int
    firsts: FirstVersions
    copies: Copies
    scope: str
    lane: Lane | None = None
    weight: float = 0.0
    shadow_share: float = 0.0

    @property
    def named(self) -> bool:
        return bool(self.always or self.never)


def prepare_candidate(
    candidate: Candidate, route: PreparedRoute, firsts: FirstVersions, copies: Copies
) -> PreparedCandidate:
    """`route` is the candidate's own, prepared; `firsts` and `copies` outlive a plan."""
    return PreparedCandidate(
        rollout=candidate.rollout,
        salt=candidate.salt,
        route=route,
        units=candidate.units,
        always=frozenset(candidate.always),
        never=frozenset(candidate.never),
        shadow_nanousd=candidate.shadow_nanousd,
        firsts=firsts,
        copies=copies,
        scope=dial_scope(
            candidate.route.name, candidate.rollout, in_lane=candidate.lane is not None
        ),
        lane=candidate.lane,
    )


def prepare_route(
    route: Route,
    targets: Mapping[str, PreparedTarget],
    budget: RetryBudget,
    contract: PreparedContract | None = None,
    arm: Arm | None = None,
) -> PreparedRoute:
    """`targets` are all of the plan's, by their names. `arm` is told with each answer."""
    release = route.release
    pool = tuple(PreparedShare(targets[s.target.name], s.weight) for s in release.shares)
    fallbacks = {
        failure: tuple(targets[target.name] for target in chain)
        for failure, chain in route.fallbacks
    }
    every = [targets[target.name] for target in route.targets]
    bound: Priced = every[0] if len(every) == 1 else _dearest(every)
    # What is kept warm goes on from the answers that it has stored.
    answering = {target.name: target for target in (*route.targets, *route.kept_warm)}
    heads = {name: _answer_headers(route.name, release, it) for name, it in answering.items()}
    if arm is not None:
        told = f"x-tidegate-arm: {arm}\r\n".encode()
        heads = {name: head + told for name, head in heads.items()}
    alone, warm = len(pool) == 1, tuple(targets[target.name] for target in route.kept_warm)
    return PreparedRoute(
        route=route,
        target=pool[0].target,
        pool=pool,
        fallbacks=fallbacks,
        bound=bound,
        budget=budget,
        heads=heads,
        alone=alone,
        contract=contract,
        warm=warm,
        addition=addition_of(route),
        cache=prepare_cache(route, {it.target.target.name: it.target.provider for it in pool}),
        vectors=prepare_vectors(route),
    )


class _DearestCeiling(Ceiling):
    """The most that any of several targets asks for so many tokens."""

    __slots__ = ("_ceilings",)

    def __init__(self, ceilings: list[Ceiling]) -> None:
        self._ceilings = ceilings
        self.varies = any(ceiling.varies for ceiling in ceilings)

    def of(self, tier: str | None, *, hears: bool, says: bool, keeps: bool) -> Ceiling:
        return _DearestCeiling(
            [
                it.of(tier, hears=hears, says=says, keeps=keeps) if it.varies else it
                for it in self._ceilings
            ]
        )

    def nanousd(self, input_tokens: int, output_tokens: int) -> int | None:
        costs = [ceiling.nanousd(input_tokens, output_tokens) for ceiling in self._ceilings]
        known = [cost for cost in costs if cost is not None]
        return max(known) if len(known) == len(costs) else None


def _dearest(every: list[PreparedTarget]) -> Dearest:
    """Counted as by the one that counts most. Nobody knows the cost where one has no price."""
    targets = [it.target for it in every]
    tokenizers = {target.tokenizer for target in targets}
    stand_in = replace(
        targets[0],
        tokenizer=tokenizers.pop() if len(tokenizers) == 1 else None,
        image_tokens=max(target.image_tokens for target in targets),
        file_tokens=max(target.file_tokens for target in targets),
    )
    ceilings = [it.ceiling for it in every if it.ceiling is not None]
    ceiling = _DearestCeiling(ceilings) if len(ceilings) == len(every) else None
    return Dearest(stand_in, ceiling, tuple(target.price for target in targets))


def _answer_headers(route: str, release: Release, target: Target) -> bytes:
    return (
        f"x-tidegate-route: {route}\r\n"
        f"x-tidegate-release: {release.name}\r\n"
        f"x-tidegate-target: {target.name}\r\n"
        f"x-tidegate-model: {target.model}\r\n"
    ).encode("latin-1", "replace")
