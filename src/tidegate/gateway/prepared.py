"""A Plan made ready to be obeyed: plugs loaded, secrets resolved, pools and heads in place.

Everything that is the same for all requests of a target is computed here, once a plan.
"""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tidegate import __version__
from tidegate.core import plugs
from tidegate.core.arm import Arm
from tidegate.core.credential import Addressed
from tidegate.core.plan import Candidate, Contract, Plan, Replica, Route, Target, Tls
from tidegate.core.plugs import Provider
from tidegate.core.pricing import Ceiling
from tidegate.core.prompt import Tagged
from tidegate.core.secret import Secret, SecretRef
from tidegate.gateway.aws_key import AwsKey
from tidegate.gateway.bound import Binder, Bound
from tidegate.gateway.contract import PreparedContract
from tidegate.gateway.http.egress import proxy_for, tls_context
from tidegate.gateway.http.pool import Pool, Way
from tidegate.gateway.in_force import InForce, MakeCounters
from tidegate.gateway.issuers import Issuers, Prepared
from tidegate.gateway.own_limits import OwnLimits
from tidegate.gateway.prepared_ladder import prepare_ladder
from tidegate.gateway.prepared_probe import PreparedProbe, prepare_probe
from tidegate.gateway.prepared_route import (
    PreparedCandidate,
    PreparedRoute,
    prepare_candidate,
    prepare_route,
)
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.gateway.prompt_versions import PromptVersions
from tidegate.gateway.shared_store import SharedStores
from tidegate.gateway.standing import Standing
from tidegate.text import tokens
from tidegate.text.json_schema import SchemaProblem

MAX_SECRET_BYTES = 64 * 1024

Headers = tuple[tuple[str, str], ...]
Prompts = Mapping[str, Tagged]


class PlanProblem(Exception):
    """A plan that this gateway cannot obey; it goes on with the one it has."""


class PreparedPlan(Struct):
    """What requests obey until the next plan. A request holds one for its whole life."""

    plan: Plan
    routes: dict[str, PreparedRoute]
    pools: "Reached"
    limits: Bound
    probes: dict[str, PreparedProbe]
    issuers: Prepared = {}


Origin = tuple[Replica, Tls]
# A pool, and how it will reach its replica and how wide it will be once the plan is adopted.
Reached = dict[Origin, tuple[Pool, Way, int]]


class Preparer:
    """Makes plans ready. Pools outlive a plan: an unchanged replica keeps its connections."""

    def __init__(
        self,
        environ: Mapping[str, str],
        make_counters: MakeCounters,
        stores: SharedStores | None = None,
    ) -> None:
        self._environ = environ
        self.standing = Standing()
        self.versions = PromptVersions()
        self.aws = AwsKey(environ)
        self._signs = False
        self.binder = Binder(make_counters, OwnLimits(make_counters), stores)
        self.pools: dict[Origin, Pool] = {}
        self.issuers: Issuers | None = None

    async def prepare(self, plan: Plan) -> PreparedPlan:
        """The plan, ready. PlanProblem when a plug or a file that it needs is not to be had.

        Nothing that serves now is touched before the plan is adopted.
        """
        pools: Reached = {}
        contexts: dict[Tls, ssl.SSLContext] = {}
        prepared: dict[str, PreparedTarget] = {}
        for target in plan.targets.values():
            await self._load_contexts(target, contexts)
            prepared[target.name] = self._target(target, contexts, pools)
        self._signs = any(target.aws is not None for target in prepared.values())
        await self.refresh()
        prompts = plan.prompts
        routes = {name: self._route(it, prepared, prompts) for name, it in plan.routes.items()}
        try:
            limits = self.binder.bind(plan)
            issuers = {} if self.issuers is None else await self.issuers.prepare(plan.callers)
        except (plugs.PlugError, ValueError, OSError) as error:
            raise PlanProblem(str(error)) from error
        return PreparedPlan(plan, routes, pools, limits, _probes(plan, prepared), issuers)

    async def refresh(self) -> None:
        """Reads the machine's own key again, where requests are signed with it."""
        if self._signs:
            before = self.aws.key
            await asyncio.to_thread(self.aws.refresh)
            if self.aws.key is not before:
                self.standing.renewed()

    def adopt(self, prepared: PreparedPlan) -> list[InForce]:
        """`prepared` is obeyed from now on: its pools open, those that it does not use close. The
        limits that count from now on."""
        begun = self.binder.adopt(prepared.limits)
        self.standing.adopt(prepared.plan)
        self.versions.keep(prepared.plan.prompts)
        if self.issuers is not None:
            self.issuers.adopt(prepared.issuers)
        for route in prepared.routes.values():
            route.budget.retry = route.route.retry
            for one in route.candidates:
                one.route.budget.retry = one.route.route.retry
            for target in route.reachable():
                used = [(it.name, it.credential, it.breaker) for it in target.replicas]
                self.standing.of(target.target).keep(used, target.target)
        for pool, way, max_connections in prepared.pools.values():
            pool.way = way
            pool.max_connections = max_connections
        before, self.pools = self.pools, {o: r[0] for o, r in prepared.pools.items()}
        for origin, pool in before.items():
            if self.pools.get(origin) is not pool:
                pool.close()
        return begun

    def _route(
        self, route: Route, targets: Mapping[str, PreparedTarget], prompts: Prompts
    ) -> PreparedRoute:
        """The route, and the releases that are under way on it."""
        contract = _contract(route.name, route.contract)
        arm: Arm | None = None if route.candidate is None else "stable"
        found = prepare_route(route, targets, self.standing.budget(route), contract, arm)
        self._climbable(route, found, targets, (prompts, arm))
        if route.candidate is not None:
            found.candidate = self._candidate(route.candidate, targets, prompts)
        if route.beside is not None:
            found.beside = self._candidate(route.beside, targets, prompts)
        return found

    def _candidate(
        self, candidate: Candidate, targets: Mapping[str, PreparedTarget], prompts: Prompts
    ) -> PreparedCandidate:
        known, route = self.standing.release(candidate), candidate.route
        contract = _contract(route.name, route.contract)
        coming = prepare_route(route, targets, known.budget, contract, "canary")
        self._climbable(route, coming, targets, (prompts, "canary"))
        return prepare_candidate(candidate, coming, known.firsts, known.copies)

    def _climbable(
        self,
        route: Route,
        found: PreparedRoute,
        targets: Mapping[str, PreparedTarget],
        by: tuple[Prompts, Arm | None],
    ) -> None:
        """Gives a route what its models are asked by, and its ladder."""
        prompts, arm = by
        try:
            found.prompt = self.versions.of_route(route.prompt, prompts)
            found.ladder = prepare_ladder(
                (route, found), targets, lambda it: self.versions.of_route(it, prompts), arm
            )
        except (ValueError, SchemaProblem) as problem:
            raise PlanProblem(f"route {route.name}: {problem}") from None

    async def _load_contexts(self, target: Target, contexts: dict[Tls, ssl.SSLContext]) -> None:
        """TLS contexts read certificate files, which takes too long for the loop."""
        if target.tls in contexts or all(r.scheme == "http" for r in target.replicas):
            return
        try:
            contexts[target.tls] = await asyncio.to_thread(tls_context, target.tls)
        except (OSError, ssl.SSLError) as error:
            raise PlanProblem(
                f"target {target.name}: the authorities in {target.tls.ca_file} "
                f"cannot be loaded: {error}"
            ) from error

    def _target(
        self, target: Target, contexts: Mapping[Tls, ssl.SSLContext], pools: Reached
    ) -> PreparedTarget:
        try:
            provider: Provider = plugs.load("providers", target.dialect)
        except plugs.PlugError as error:
            raise PlanProblem(f"target {target.name}: {error}") from error
        if target.tokenizer is not None and target.tokenizer in tokens.ENCODINGS:
            tokens.load(target.tokenizer)
        standing = self.standing.of(target)
        refs: tuple[SecretRef | None, ...] = target.credentials or (None,)
        aws = None
        if refs == (None,) and provider.signer is not None:
            if self._environ.get(provider.signer.bearer_variable):
                refs = (SecretRef(env=provider.signer.bearer_variable),)
            else:
                aws = self.aws
        known = [(ref, self._secret(ref)) for ref in refs]
        missing = [ref for ref, secret in known if ref is not None and secret is None]
        ways = [self._way(target, replica, contexts) for replica in target.replicas]
        replicas = []
        for ref, secret in known:
            if ref is not None and secret is None:
                continue
            headers = _headers(provider, target)
            for way in ways:
                own = () if secret is None else (provider.credential_header(secret.reveal()),)
                replica = self._replica(target, way, (*headers, *own), pools)
                replica.credential = standing.credential(ref, secret)
                replica.breaker = standing.breaker(replica.name, replica.credential.name, target)
                replicas.append(replica)
        return PreparedTarget(
            target,
            provider,
            replicas,
            None if target.price is None else Ceiling(target.price),
            None if replicas else str(missing[0]),
            standing.tripped,
            standing.pace,
            aws,
        )

    def _way(self, target: Target, replica: Replica, contexts: Mapping[Tls, ssl.SSLContext]) -> Way:
        try:
            proxy = proxy_for(replica, self._environ)
        except ValueError as error:
            raise PlanProblem(f"target {target.name}: {error}") from error
        context = None if replica.scheme == "http" else contexts.get(target.tls)
        return Way(replica, context, target.tls.server_name or replica.host, proxy)

    def _replica(self, target: Target, way: Way, pairs: Headers, pools: Reached) -> PreparedReplica:
        replica, proxy = way.replica, way.proxy
        origin = (replica, target.tls)
        if origin in pools:  # two targets at one address share its connections
            pool, _, width = pools[origin]
        else:
            pool = self.pools.get(origin) or Pool(way, target.max_connections)
            width = 0
        pools[origin] = (pool, way, max(width, target.max_connections))
        path = replica.path.encode()
        headers = "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("latin-1")
        if proxy is not None and way.context is None:
            path = f"{replica.scheme}://{_authority(replica)}".encode() + path
            if proxy.authorization is not None:
                headers += b"proxy-authorization: %b\r\n" % proxy.authorization
        rest = b" HTTP/1.1\r\nhost: %b\r\n%b" % (_authority(replica).encode(), headers)
        to = Addressed(_authority(replica), replica.path, pairs)
        return PreparedReplica(replica.name, pool, b"POST " + path, rest, to)

    def _secret(self, ref: SecretRef | None) -> Secret | None:
        """None where it is not to be had: that spoils no other credential."""
        if ref is None:
            return None
        if ref.env is not None:
            secret = self._environ.get(ref.env, "").strip()
        else:
            try:
                with Path(ref.file or "").open("rb") as file:
                    secret = file.read(MAX_SECRET_BYTES).decode("utf-8").strip()
            except (OSError, ValueError):
                secret = ""
        if not secret or not secret.isascii() or not secret.isprintable():
            return None
        return Secret(secret)


def _probes(plan: Plan, targets: Mapping[str, PreparedTarget]) -> dict[str, PreparedProbe]:
    found = {}
    for name, probe in plan.probes.items():
        if name not in targets:
            continue
        try:
            found[name] = prepare_probe(probe, targets[name])
        except SchemaProblem as problem:
            raise PlanProblem(f"target {name}: {problem}") from None
    return found


def _contract(route: str, contract: Contract | None) -> PreparedContract | None:
    try:
        return None if contract is None else PreparedContract(contract)
    except SchemaProblem as problem:
        raise PlanProblem(f"route {route}: {problem}") from None


def _headers(provider: Provider, target: Target) -> Headers:
    return (
        ("user-agent", f"tidegate/{__version__}"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        *provider.headers,
        *target.headers,
    )


def _authority(replica: Replica) -> str:
    host = f"[{replica.host}]" if ":" in replica.host else replica.host
    usual = 443 if replica.scheme == "https" else 80
    return host if replica.port == usual else f"{host}:{replica.port}"
