"""Declared plan to Plan: whole, or refused with everything that is wrong. Pure.

What the world is like is asked of the facts passed in, so that the same declared plan, facts and
time give the same bytes. `digest` covers what requests obey and
not the version or the time, so a reload of an unchanged file is seen to change nothing.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import partial

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from tidegate.core.added import joined, opened, raised
from tidegate.core.assemble import Path
from tidegate.core.compile_cache import compile_cache
from tidegate.core.compile_callers import compile_callers
from tidegate.core.compile_engines import compile_engines
from tidegate.core.compile_guardrails import check_buffer, compile_guardrails, of_route
from tidegate.core.compile_ladder import check_degrading, compile_ladder
from tidegate.core.compile_limits import EACH_ALLOWS_ALL, compile_limits, counts_alone
from tidegate.core.compile_notices import check_notifications
from tidegate.core.compile_objectives import check_objectives
from tidegate.core.compile_probes import compile_probes
from tidegate.core.compile_prompts import Prompts
from tidegate.core.compile_quality import check_quality
from tidegate.core.compile_releases import (
    candidate_of,
    moved_at_run_time,
    still_there,
    with_warm,
)
from tidegate.core.compile_routes import compile_route
from tidegate.core.compile_targets import Targets
from tidegate.core.contracts import compile_contract
from tidegate.core.declared import Declared
from tidegate.core.declared_keys import EVERY_ROUTE
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.engine_signals import EnginePage
from tidegate.core.facts import Facts
from tidegate.core.levers import LEVERS
from tidegate.core.plan import Candidate, HttpBounds, JournalBounds, Plan, Route, Target
from tidegate.core.prompt import RoutePrompt
from tidegate.core.revised import Revised, UnderWay, revised
from tidegate.core.words import nearest, quoted

DIGEST_CHARS = 8


class Complaint(Struct, frozen=True):
    """One thing that does not fit. `path` leads to it from the plan's root."""

    path: Path
    message: str


class PlanRefused(Exception):
    """The declared plan does not compile; `complaints` holds every reason, never none."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("; ".join(f"{'.'.join(c.path)}: {c.message}" for c in self.complaints))


def compile_plan(
    declared: Declared,
    *,
    version: int,
    now_s: float,
    facts: Facts,
) -> Plan:
    """The whole Plan. PlanRefused holds every complaint when there is any."""
    compiler = _Compiler(declared, facts)
    declared = compiler.declared
    compiler.targets.check_named()
    routes = compiler.routes()
    compiler.check_rest()
    check_notifications(declared, facts.ways, compiler.say)
    check_quality(declared.routes, facts.graders, compiler.say)
    targets = compiler.targets.built()
    probes = compile_probes(
        declared,
        targets,
        lambda target: facts.dialects.get(target.dialect),
        facts.checks,
        compiler.say,
    )
    engines = compile_engines(declared, targets, facts.engines.names(), compiler.say)
    prompts = compiler.prompts.all()
    callers = compile_callers(declared, compiler.say)
    say = facts.added.speaks(compiler.say)
    limits = compile_limits(joined(declared, facts.added, say), facts.kinds, say)
    check_degrading(routes, limits, declared.budgets, compiler.say)
    if not limits and counts_alone(declared) and facts.keys_limited():
        say(
            ("gateway", "processes"),
            EACH_ALLOWS_ALL.format(what="limits that keys bring with them"),
        )
    if compiler.complaints:
        raise PlanRefused(compiler.complaints)
    storage = declared.storage
    plan = Plan(
        version=0,
        digest="",
        compiled_at_s=0.0,
        routes=routes,
        http=HttpBounds(**asdict(declared.gateway.http)),
        journal=JournalBounds(storage.durability, storage.segment_bytes, storage.journal_max_bytes),
        limits=raised(opened(limits, facts.added), facts.added),
        assumed_output_tokens=declared.gateway.assumed_output_tokens,
        session_alert_tokens=declared.gateway.session_alert_tokens,
        drain_s=declared.gateway.drain_s,
        counters=storage.limits.store() if storage.limits is not None else None,
        vectors=None if storage.vectors is None else storage.vectors.store(),
        prompts=prompts,
        callers=callers,
    )
    plan = replace(
        plan,
        probes={k: v for k, v in probes.items() if k in plan.targets},
        engines=_once_a_pool(engines, plan.targets),
    )
    return replace(plan, version=version, digest=_digest(plan), compiled_at_s=now_s)


def _once_a_pool(
    engines: Mapping[str, EnginePage], targets: Mapping[str, Target]
) -> dict[str, EnginePage]:
    """The pages of targets that are reached. An engine and its adapters have one page: its own
    target's, or else the first one's."""
    reached = sorted((targets[name].pool != name, name) for name in engines if name in targets)
    pools: dict[str, str] = {}
    for _, name in reached:
        pools.setdefault(targets[name].pool, name)
    return {name: page for name, page in engines.items() if name in pools.values()}


def _digest(content: object) -> str:
    packed = msgspec.msgpack.encode(content, order="deterministic")
    return hashlib.sha256(packed).hexdigest()


class _Compiler:
    """One compilation: collects complaints, builds the routes."""

    def __init__(self, declared: Declared, facts: Facts) -> None:
        self.complaints: list[Complaint] = []
        self._revised = Revised(declared)
        self._instead: tuple[Path, Path] | None = None
        added = facts.added
        if added.revisions:
            self._revised = revised(declared, added.revisions, added.rollouts, self.say)
        self.declared = self._revised.declared
        self.targets = Targets(self.declared, facts, self.say)
        self.prompts = Prompts(self.declared.prompts, facts.prompts, added.flips, self.say)
        self.checks = facts.checks
        self._learnt = added.learnt
        named = self.declared.guardrails
        self._guardrails = compile_guardrails(named, facts.guardrails, self.say)

    def say(self, path: Path, message: str) -> None:
        message += moved_at_run_time(self._revised, path)
        if self._instead is not None and path[:2] == self._instead[0]:
            path = (*self._instead[1], *path[2:])
        self.complaints.append(Complaint(path, message))

    def routes(self) -> dict[str, Route]:
        declared = self.declared.routes
        if not declared:
            self.say(
                ("routes",),
                "a plan needs a route; write for example "
                "`routes: {gpt-4o-mini: openai/gpt-4o-mini}`",
            )
        self._check_lookalikes(declared)
        out = {}
        for name, route in declared.items():
            found = self._route(name, route)
            if found is not None:
                out[name] = self._with_release(found)
        return out

    def _route(self, name: str, route: DeclaredRoute) -> Route | None:
        find = partial(self.targets.wanted, name)
        prompt = self.prompts.of_route(route, ("routes", name))
        asked_by = self.prompts.digest(prompt)

        def digest(content: object) -> str:
            whole = content if asked_by is None else (content, asked_by)
            return _digest(whole)[:DIGEST_CHARS]

        found = compile_route(name, route, find, digest, self.say)
        path = ("routes", name, "contract")
        contract = compile_contract(route, path, self.checks, self.say)
        if found is None:
            return None
        capture = None if route.capture is None else route.capture.capture()
        learnt = self._learnt.get(name)
        at = ("routes", name, "cache")
        cache = compile_cache(route, self.declared.storage, learnt, at, self.say)
        at, named = ("routes", name, "guardrails"), self.declared.guardrails
        guardrails = of_route(route.guardrails, self._guardrails, named, at, self.say)
        buffer = None if route.buffer is None else route.buffer.buffer()
        check_buffer(guardrails, buffer, at, self.say)
        found = replace(found, guardrails=guardrails, buffer=buffer)
        found = replace(found, contract=contract, prompt=prompt, capture=capture, cache=cache)
        if not route.ladder:
            return found
        return compile_ladder(route, found, find, partial(self._of_rung, prompt), self.say)

    def _of_rung(
        self, own: RoutePrompt | None, wanted: DeclaredRoutePrompt, path: Path
    ) -> RoutePrompt | None:
        """The prompt of a rung, for callers who send the variables of the route's own."""
        found = self.prompts.of(wanted, path)
        for name in () if found is None else self.prompts.missing(found, own):
            self.say(path, f"it needs the variable {quoted(name)}, which callers of this route do "
                "not send")  # fmt: skip
        return found

    def _with_release(self, route: Route) -> Route:
        """The route with the releases that are under way on it, and what the last ones replaced."""
        name, revised = route.name, self._revised
        route = replace(
            route,
            came_by=revised.promoted.get(name, ()),
            taken_back=revised.taken_back.get(name, ()),
        )
        found = [self._candidate(route, one) for one in revised.under_way.get(name, ())]
        first, second, *_ = (*filter(None, found), None, None)
        route = replace(route, candidate=first, beside=second)
        earlier = revised.replaced.get(name, ())
        if earlier:
            kept = [
                self._warm(name, it) for one in earlier for it in still_there(self.declared, one)
            ]
            route = with_warm(route, [target for target in kept if target is not None])
            for one in earlier:
                self.prompts.keep(one)
        return route

    def _candidate(self, route: Route, under_way: UnderWay) -> Candidate | None:
        self._instead = ("routes", route.name), ("releases", under_way.rollout.id, "change")
        found = self._route(route.name, under_way.declared)
        self._instead = None
        return None if found is None else candidate_of(under_way, route, found)

    def _warm(self, name: str, wanted: str | DeclaredTarget) -> Target | None:
        """What is kept warm, unless its name means another target by now."""
        named = name if isinstance(wanted, DeclaredTarget) else wanted
        if isinstance(wanted, DeclaredTarget) and self.targets.means_another(named, wanted):
            return None
        return self.targets.wanted(name, wanted, ("routes", name))

    def check_rest(self) -> None:
        """The sections beside the routes, and what nothing of a request obeys."""
        check_objectives(self.declared.routes, self.say)
        for index, name in enumerate(self.declared.keys.routes):
            if name != EVERY_ROUTE and name not in self.declared.routes:
                near = nearest(name, self.declared.routes)
                self.say(("keys", "routes", str(index)), f"there is no route {quoted(name)}{near}")
        for lever in self.declared.control.approvals:
            if lever not in LEVERS:
                what = f"there is no lever {quoted(lever)}{nearest(lever, LEVERS)}"
                self.say(("control", "approvals", lever), what)
        storage = self.declared.storage
        if storage.segment_bytes > storage.journal_max_bytes:
            self.say(("storage", "segment"), "a segment is larger than journal_max")

    def _check_lookalikes(self, routes: Mapping[str, DeclaredRoute]) -> None:
        seen: dict[str, str] = {}
        for name in routes:
            first = seen.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
            if first != name:
                self.say(
                    ("routes", name), f"this route and {quoted(first)} differ only in how they look"
                )
