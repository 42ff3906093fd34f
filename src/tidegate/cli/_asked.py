"""A request in a file, read as a gateway would read it that obeys the plan. Nothing is sent."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import Final

import click
from msgspec import Raw, Struct, structs

from tidegate.core.ask import Ask, Outgoing
from tidegate.core.limit import Demand, LimitKind
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit, Plan
from tidegate.core.plugs import Dialect, load
from tidegate.core.receipt import Receipt
from tidegate.core.words import nearest, quoted
from tidegate.gateway import embedding
from tidegate.gateway.able import able
from tidegate.gateway.accept import accept
from tidegate.gateway.climbing import Climbing, begun
from tidegate.gateway.demand import count, demand_of
from tidegate.gateway.entry import Entry, dialects, entries
from tidegate.gateway.fit import fit
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.prepared import PlanProblem, PreparedPlan, Preparer
from tidegate.gateway.prepared_probe import PreparedProbe
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prepared_target import PreparedTarget, Priced
from tidegate.gateway.size import size
from tidegate.stores.memory_counters import memory_counters
from tidegate.text.strict_json import JsonProblem, read_object

CHAT_PATH: Final = "/v1/chat/completions"
# Members that only one of the APIs has in which a body may look alike.
_OF_MESSAGES: Final = frozenset(
    {"system", "stop_sequences", "thinking", "top_k", "container", "mcp_servers"}
)
_TOKENS: Final = "tokens"  # the kind of limit that a single request may be too large for
_OF_EMBEDDINGS: Final = frozenset({"model", "input", "encoding_format", "dimensions", "user"})


class Asked(Struct):
    """One request as a gateway would read it. `path` is where it is sent to, `climb` how it is to
    its route's ladder."""

    path: str
    ask: Ask
    receipt: Receipt
    route: PreparedRoute
    known: Mapping[str, Dialect]
    probes: Mapping[str, PreparedProbe]
    assumed_output_tokens: int
    climb: Climbing | None = None

    def demand(self, target: Priced) -> Demand:
        return demand_of(self.ask, self.receipt, target, self.assumed_output_tokens)

    @property
    def counted_here(self) -> bool:
        """Whether its tokens are asked for, and not every target of its route can say them."""
        dialect = self.ask.dialect
        passing = [it.provider.passthrough.get(dialect) for it in self.route.targets()]
        tell = all(it is not None and it.counts_tokens for it in passing)
        return self.ask.counts and not tell

    def written(self, target: PreparedTarget) -> Outgoing:
        """What the target would be sent. Refusal for what it cannot do, by the route's rule."""
        ask, provider = self.ask, target.provider
        passing = provider.passthrough.get(ask.dialect)
        if passing is not None:
            return passing.encode(ask, target.target)
        drop = self.route.route.drops_unsupported
        if ask.endpoint == "embeddings":
            noted = structs.replace(self.receipt)
            out = embedding.outgoing(ask, target, noted, drop=drop)
            return structs.replace(out, dropped=tuple(noted.dropped))
        said = self.known[ask.dialect].read(ask)
        return provider.encode_conversation(said, ask, target.target, drop)

    def why_not(self, target: PreparedTarget) -> str:
        """Why the target is not asked, but another in its place; empty where it is."""
        it, ask = target.target, self.ask
        if ask.endpoint not in target.endpoints:
            return f"it does not serve {ask.endpoint}"
        if not target.may_be_priced:
            return "nobody knows its price"
        if target.missing is not None:
            return f"the credential {target.missing} is not set here"
        if it.context_tokens is not None:
            try:
                fit(ask, it, it.context_tokens)
            except Refusal:
                return f"it is longer than the context of {it.context_tokens} tokens"
        return ""

    def refused(self, target: PreparedTarget) -> str:
        """Why the request is not sent once the target is asked: another is then that can do it,
        or it is refused. Empty where it is sent."""
        no = self._no(target)
        if no is None:
            return ""
        others = [share.target for share in self.route.pool if share.target is not target]
        beyond = len(others) == len(self.route.pool)
        able = beyond or any(not self.why_not(it) and self._no(it) is None for it in others)
        return f"{'passed over' if able else 'refused'}: {no.message}"

    def _no(self, target: PreparedTarget) -> Refusal | None:
        if self.ask.endpoint not in target.endpoints:
            return None
        try:
            able(structs.replace(self.ask), target.target)
            self.written(target)
        except Refusal as no:
            return no
        return None

    def over(self, limit: Limit) -> str:
        """Why the limit refuses it whatever else has been counted; empty where it does not."""
        kind: LimitKind = load("limits", limit.kind)
        demand = self.demand(self.route.bound)
        count(demand, self.route.bound)
        try:
            kind.check(limit, demand)
        except Refusal as no:
            return no.message.removeprefix(f"limit {quoted(limit.name)}: ")
        most = limit.amount if limit.burst is None else min(limit.burst, limit.amount)
        wanted = kind.amount(limit)(demand) if limit.kind == _TOKENS else 0
        return f"it may come to {wanted} tokens" if wanted > most else ""


def read_asked(body: bytes, plan: Plan, path: str | None) -> Asked:
    """The request of `body`, sent to `path`, or where its members say. click.ClickException where
    a gateway would refuse it, whatever the target."""
    try:
        members = read_object(body, frozenset())
    except JsonProblem as problem:
        raise click.ClickException(f"the request is no JSON object: {problem}") from problem
    known = dialects()
    path = path or told_path(members)
    entry = _entry(path, known)
    receipt = Receipt("", 0.0, "", entry.endpoint)
    try:
        ask = accept(Incoming(Head(), 0.0, body), entry, receipt)
        prepared = asyncio.run(_prepare(plan))
    except (Refusal, PlanProblem) as no:
        raise click.ClickException(str(no)) from no
    route = prepared.routes.get(ask.model)
    if route is None:
        near = nearest(ask.model, prepared.routes)
        raise click.ClickException(f"there is no route {quoted(ask.model)}{near}")
    climb = begun(ask, route)
    if route.addition is not None:
        route.addition.to(ask, receipt)
    size(ask, receipt)
    assumed = plan.assumed_output_tokens
    return Asked(path, ask, receipt, route, known, prepared.probes, assumed, climb)


def told_path(members: Mapping[str, Raw]) -> str:
    """Where a body with these members is sent to, as far as they tell: a short one of Anthropic's
    may be one of OpenAI's chat too."""
    if "prompt" in members:
        return "/v1/completions"
    if "messages" in members:
        return "/v1/messages" if _is_of_messages(members) else CHAT_PATH
    if "input" not in members:
        return CHAT_PATH
    items = bytes(members["input"])
    is_plain = members.keys() <= _OF_EMBEDDINGS and not items.lstrip(b"[ \n").startswith(b"{")
    return "/v1/embeddings" if is_plain else "/v1/responses"


def _is_of_messages(members: Mapping[str, Raw]) -> bool:
    tools = b'"input_schema"' in bytes(members.get("tools", b""))
    return tools or not _OF_MESSAGES.isdisjoint(members)


def _entry(path: str, known: Mapping[str, Dialect]) -> Entry:
    found = entries(known)
    entry = found.get(path.encode())
    if entry is None:
        raise click.BadParameter(_no_path(path, found), param_hint="--path")
    return entry


def _no_path(path: str, found: Iterable[bytes]) -> str:
    names = sorted(one.decode() for one in found if one.startswith(b"/v1/"))
    return f"{quoted(path)} takes no requests; one of: {', '.join(names)}"


async def _prepare(plan: Plan) -> PreparedPlan:
    return await Preparer(os.environ, memory_counters).prepare(plan)
