"""A Plan made ready to be obeyed: plugs loaded, secrets resolved, pools and heads in place.

Everything that is the same for all requests of a target is computed here, once a plan.
"""

import asyncio
import ssl
from collections.abc import Mapping

from msgspec import Struct

from tidegate import __version__
from tidegate.core import plugs
from tidegate.core.address import parse_url
from tidegate.core.arm import Arm
from tidegate.core.credential import Addressed
from tidegate.core.guardrail import Guardrail
from tidegate.core.plan import Candidate, Contract, Plan, Replica, Route, Target, Tls
from tidegate.core.plugs import Provider
from tidegate.core.pricing import Ceiling
from tidegate.core.prompt import Tagged
from tidegate.core.secret import SecretRef
from tidegate.gateway.aws_key import AwsKey
from tidegate.gateway.batch_ids import Places, places
from tidegate.gateway.bound import Binder, Bound
from tidegate.gateway.cloud_identity import CloudIdentity
from tidegate.gateway.contract import PreparedContract
from tidegate.gateway.guard_check import (
    MOST_CONNECTIONS,
    Check,
    check_of,
    origin_of,
    request_headers,
)
from tidegate.gateway.http.egress import proxy_for, tls_context
from tidegate.gateway.http.pool import Pool, Way
from tidegate.gateway.identities import Identities
from tidegate.gateway.in_force import InForce, MakeCounters
from tidegate.gateway.issuers import Issuers, Prepared
from tidegate.gateway.own_limits import OwnLimits
from tidegate.gateway.prepared_guardrails import (
    PreparedGuardrails,
    guardrails_of,
    is_remote,
    prepare_guardrails,
)
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
from tidegate.gateway.secrets import secret_of
from tidegate.gateway.shared_store import SharedStores
from tidegate.gateway.standing import Standing
from tidegate.text import tokens
from tidegate.text.json_schema import SchemaProblem

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
    batches: Places = {}
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
        self.identities = Identities(environ, self.standing.renewed)
        self._signs = False
        self._checks: dict[Guardrail, Check] = {}
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
            await _load_tokenizer(target)
            prepared[target.name] = self._target(target, contexts, pools)
        self._checks = await self._prepare_checks(plan, contexts, pools)
        self._signs = any(target.aws is self.aws for target in prepared.values())
        await self.refresh()
        prompts = plan.prompts
        routes = {name: self._route(it, prepared, prompts) for name, it in plan.routes.items()}
        try:
            limits = self.binder.bind(plan)
            issuers = {} if self.issuers is None else await self.issuers.prepare(plan.callers)
        except (plugs.PlugError, ValueError, OSError) as error:
            raise PlanProblem(str(error)) from error
        probes, batches = _probes(plan, prepared), places(prepared.values())
        return PreparedPlan(plan, routes, pools, limits, probes, batches, issuers)

    async def refresh(self) -> None:
        """Reads the machine's own key again, where requests are signed with it, and looks at the
        files that identities sign in with."""
        await self.identities.look()
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
        identities = []
        for route in prepared.routes.values():
            route.budget.obey(route.route.retry)
            for one in route.candidates:
                one.route.budget.obey(one.route.route.retry)
            for target in route.reachable():
                used = [(it.name, it.credential, it.breaker) for it in target.replicas]
                self.standing.of(target.target).keep(used, target.target)
                if target.identity is not None:
                    identities.append(target.identity)
        self.identities.adopt(identities)
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
        guardrails = self._guardrails(route)
        arm: Arm | None = None if route.candidate is None else "stable"
        found = prepare_route(route, targets, self.standing.budget(route), contract, arm)
        found.guardrails = guardrails
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
        coming.guardrails = self._guardrails(route)
        self._climbable(route, coming, targets, (prompts, "canary"))
        return prepare_candidate(candidate, coming, known.firsts, known.copies)

    async def _prepare_checks(
        self, plan: Plan, contexts: dict[Tls, ssl.SSLContext], pools: Reached
    ) -> dict[Guardrail, Check]:
        """Every guardrail that asks an address, with its connections."""
        found: dict[Guardrail, Check] = {}
        for guardrail in guardrails_of(plan):
            try:
                if guardrail.url is None or not is_remote(guardrail):
                    continue
                replica, tls = origin_of(guardrail, parse_url(guardrail.url))
                if replica.scheme == "https" and tls not in contexts:
                    contexts[tls] = await asyncio.to_thread(tls_context, tls)
                context = None if replica.scheme == "http" else contexts.get(tls)
                way = Way(replica, context, replica.host, proxy_for(replica, self._environ))
            except (plugs.PlugError, ValueError, OSError, ssl.SSLError) as error:
                raise PlanProblem(f"guardrail {guardrail.name}: {error}") from error
            secret = secret_of(guardrail.credential, self._environ)
            pairs = request_headers(secret)
            made = self._replica_at(way, tls, pairs, pools, MOST_CONNECTIONS)
            found[guardrail] = check_of(guardrail, made, secret)
        return found

    def _guardrails(self, route: Route) -> PreparedGuardrails | None:
        try:
            return prepare_guardrails(route.guardrails, route.buffer, self._checks)
        except (plugs.PlugError, ValueError) as problem:
            raise PlanProblem(f"route {route.name}: {problem}") from None

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
        except (plugs.PlugError, ValueError, SchemaProblem) as problem:
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
            provider = plugs.provider_of(target.dialect, target.model)
            identity = self.identities.of(target)
        except plugs.PlugError as error:
            raise PlanProblem(f"target {target.name}: {error}") from error
        standing = self.standing.of(target)
        refs: tuple[SecretRef | None, ...] = target.credentials or (None,)
        aws: AwsKey | CloudIdentity | None = None
        if identity is not None:
            aws = identity if provider.signer is not None else None
        elif refs == (None,) and provider.signer is not None:
            if self._environ.get(provider.signer.bearer_variable):
                refs = (SecretRef(env=provider.signer.bearer_variable),)
            else:
                aws = self.aws
        known = [(ref, secret_of(ref, self._environ)) for ref in refs]
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
            identity,
        )

    def _way(self, target: Target, replica: Replica, contexts: Mapping[Tls, ssl.SSLContext]) -> Way:
        try:
            proxy = proxy_for(replica, self._environ)
        except ValueError as error:
            raise PlanProblem(f"target {target.name}: {error}") from error
        context = None if replica.scheme == "http" else contexts.get(target.tls)
        return Way(replica, context, target.tls.server_name or replica.host, proxy)

    def _replica(self, target: Target, way: Way, pairs: Headers, pools: Reached) -> PreparedReplica:
        return self._replica_at(way, target.tls, pairs, pools, target.max_connections)

    def _replica_at(
        self, way: Way, tls: Tls, pairs: Headers, pools: Reached, max_connections: int
    ) -> PreparedReplica:
        replica, proxy = way.replica, way.proxy
        origin = (replica, tls)
        if origin in pools:  # two targets at one address share its connections
            pool, _, width = pools[origin]
        else:
            pool = self.pools.get(origin) or Pool(way, max_connections)
            width = 0
        pools[origin] = (pool, way, max(width, max_connections))
        path = replica.path.encode()
        headers = "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("latin-1")
        if proxy is not None and way.context is None:
            path = f"{replica.scheme}://{_authority(replica)}".encode() + path
            if proxy.authorization is not None:
                headers += b"proxy-authorization: %b\r\n" % proxy.authorization
        rest = b" HTTP/1.1\r\nhost: %b\r\n%b" % (_authority(replica).encode(), headers)
        to = Addressed(_authority(replica), replica.path, pairs)
        return PreparedReplica(replica.name, pool, b"POST " + path, rest, to)


async def _load_tokenizer(target: Target) -> None:
    """A vocabulary takes too long for the loop, which streams wait for meanwhile."""
    if target.tokenizer is None or target.tokenizer not in tokens.ENCODINGS:
        return
    try:
        await asyncio.to_thread(tokens.load, target.tokenizer)
    except plugs.PlugError as error:
        raise PlanProblem(f"target {target.name}: {error}") from error


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
