"""batch_input: a caller's file of requests, judged line by line and written anew for its provider.

Each line is read as strictly as a request that comes alone, gets what its route adds, names the
target's model in the route's place, and is bounded: tokens, and with a price the money that it can
come to at most. All lines are of one route and one API, as providers have it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NoReturn

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import ANTHROPIC_MESSAGES, OPENAI_RESPONSES, Ask, Outgoing
from tidegate.core.batches import Batches
from tidegate.core.key import KeyRecord
from tidegate.core.limit import Demand
from tidegate.core.outcome import Refusal
from tidegate.core.plugs import BatchWire, Dialect, Passthrough
from tidegate.core.pricing import Ceiling
from tidegate.core.receipt import OPENAI_CHAT, Endpoint, Receipt
from tidegate.gateway import demand as demands
from tidegate.gateway.able import able
from tidegate.gateway.accept import accept
from tidegate.gateway.entry import CHAT, COMPLETIONS, EMBEDDINGS, Entry
from tidegate.gateway.gate import Gate
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import Dearest, PreparedRoute
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.prompted import written
from tidegate.gateway.resolve import OFF_RETRY_S
from tidegate.gateway.size import size
from tidegate.gateway.stored import check_alone
from tidegate.text.strict_json import JsonProblem, read_object

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
MAX_CUSTOM_ID_CHARS: Final = 256
URLS: Final = {
    "/v1/chat/completions": CHAT,
    "/v1/completions": COMPLETIONS,
    "/v1/embeddings": EMBEDDINGS,
}
RESPONSES_URL: Final = "/v1/responses"
_ENDPOINTS: Final = "`/v1/chat/completions`, `/v1/responses`, `/v1/completions` or `/v1/embeddings`"


class _Line(Struct, forbid_unknown_fields=True):
    custom_id: str
    method: str
    url: str
    body: Raw


_MEMBERS: Final = frozenset(_Line.__struct_fields__)
GUARDED: Final = "guardrails look through that model's texts, which those of a batch pass by"
_WHY: Final = 'must be {"custom_id": "...", "method": "POST", "url": "...", "body": {...}}'
_decode: Final = msgspec.json.Decoder(_Line).decode
_encode: Final = msgspec.json.Encoder().encode


class _Serves(Struct, eq=False):
    """What all lines of a file are of, as its first line says."""

    route: PreparedRoute
    target: PreparedTarget
    passthrough: Passthrough
    batches: Batches
    entry: Entry
    url: str
    priced: Dearest
    gate: Gate
    holds_money: bool


def urls(dialects: Mapping[str, Dialect]) -> dict[str, Entry]:
    """What the lines of a file may ask, by `url`."""
    own = dialects[OPENAI_RESPONSES]
    return {**URLS, RESPONSES_URL: Entry("chat", own.content, own.starts, own)}


class Lines:
    """One file as it is read. `count` lines have come, which cost `most_nanousd` at most, and none
    of them more than `line_nanousd`; None where nobody knows. `unbound`: some answer may be longer
    than that assumes. `serves` is there from the first line on."""

    def __init__(
        self, key: KeyRecord, plan: PreparedPlan, gateway: str, urls: Mapping[str, Entry]
    ) -> None:
        self.count = 0
        self.most_nanousd: int | None = 0
        self.line_nanousd: int | None = 0
        self.unbound = False
        self.serves: _Serves | None = None
        self._key = key
        self._plan = plan
        self._gateway = gateway
        self._urls = urls
        self._ids: dict[str, int] = {}

    @property
    def target(self) -> PreparedTarget:
        assert self.serves is not None  # noqa: S101 - a line has come
        return self.serves.target

    @property
    def endpoint(self) -> Endpoint:
        assert self.serves is not None  # noqa: S101 - a line has come
        return self.serves.entry.endpoint

    @property
    def dialect(self) -> str:
        assert self.serves is not None  # noqa: S101 - a line has come
        dialect = self.serves.entry.dialect
        return OPENAI_CHAT if dialect is None else dialect.name

    @property
    def adds(self) -> bool:
        """Whether the route adds words of its operator's."""
        assert self.serves is not None  # noqa: S101 - a line has come
        return self.serves.route.prompt is not None or self.serves.route.addition is not None

    def take(self, line: bytes) -> bytes:
        """The line as its provider gets it, without an end of line. Refusal that names it."""
        self.count += 1
        with self._named():
            return self._take(line)

    def take_message(self, custom_id: str, body: bytes, entry: Entry, head: Head) -> Outgoing:
        """The same of a request of a batch of messages, below whose head it came."""
        self.count += 1
        with self._named():
            self._note_id(custom_id)
            return self._judged(entry, "/v1/messages", Incoming(head, 0.0, body))

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except Refusal as no:
            raise Refusal(
                no.code.name,
                f"line {self.count}: {no.message}",
                param=f"line {self.count}" if no.param is None else no.param,
                retry_after_s=no.retry_after_s,
                excess=no.excess,
            ) from None

    def _take(self, line: bytes) -> bytes:
        if len(line) > MAX_LINE_BYTES:
            raise Refusal("body_too_large", f"a line has at most {MAX_LINE_BYTES} bytes")
        said = _read(line)
        self._note_id(said.custom_id)
        entry = self._urls.get(said.url)
        if entry is None:
            raise Refusal("invalid_parameter", f"`url` must be {_ENDPOINTS}", param="url")
        incoming = Incoming(Head(headers={}), 0.0, bytes(said.body))
        body = self._judged(entry, said.url, incoming).body
        serves = self.serves
        assert serves is not None  # noqa: S101 - this line has come
        return b'{"custom_id":%b,"method":"POST","url":%b,"body":%b}' % (
            _encode(said.custom_id),
            _encode(serves.url),
            body,
        )

    def _judged(self, entry: Entry, url: str, incoming: Incoming) -> Outgoing:
        """One request as its provider gets it. Refusal."""
        receipt = self._receipt(entry)
        ask = accept(incoming, entry, receipt)
        if ask.stream:
            message = "`stream`: a line of a batch is answered whole; leave it out"
            raise Refusal("unsupported_parameter", message, param="stream")
        if ask.dialect == OPENAI_RESPONSES:
            check_alone(ask)
        serves = self.serves
        if serves is None:
            serves = self._first(ask, entry, url, receipt)
        elif ask.model != serves.route.route.name or entry is not serves.entry:
            self._mixed(ask, serves)
        if self.count > serves.batches.max_lines:
            most = serves.batches.max_lines
            raise Refusal("body_too_large", f"a file of that model has at most {most} lines")
        receipt.route = ask.model
        route = written(ask, serves.route, receipt)
        size(ask, receipt, route.output_cap_tokens)
        self._bound(ask, receipt, serves)
        if serves.target.bounded:
            able(ask, serves.target.target)
        return serves.passthrough.encode(ask, serves.target.target)

    def _note_id(self, custom_id: str) -> None:
        if not 0 < len(custom_id) <= MAX_CUSTOM_ID_CHARS or not custom_id.isprintable():
            message = f"`custom_id` must be 1 to {MAX_CUSTOM_ID_CHARS} printable characters"
            raise Refusal("invalid_parameter", message, param="custom_id")
        first = self._ids.setdefault(custom_id, self.count)
        if first != self.count:
            message = f"`custom_id` is that of line {first} already"
            raise Refusal("invalid_parameter", message, param="custom_id")

    def _receipt(self, entry: Entry) -> Receipt:
        """Only to be written on: what limits and prompts ask of a request."""
        key = self._key
        receipt = Receipt("", 0.0, self._gateway, entry.endpoint, key_id=key.id, team=key.team)
        receipt.customer, receipt.environment = key.customer, key.environment
        receipt.purpose, receipt.attributes = key.purpose, key.attributes or None
        return receipt

    def _first(self, ask: Ask, entry: Entry, url: str, receipt: Receipt) -> _Serves:
        route = self._plan.routes.get(ask.model)
        if route is None:
            message = "there is no such model; GET /v1/models lists yours"
            raise Refusal("model_not_found", message, param="model")
        if not self._key.may_use(ask.model):
            message = "this API key may not use that model"
            raise Refusal("route_not_allowed", message, param="model")
        if (off := route.off_but_chats) is not None:
            raise Refusal("route_off", off, retry_after_s=OFF_RETRY_S)
        if route.route.guardrails is not None:
            raise Refusal("invalid_request", GUARDED, param="model")
        target, batches, wire = _target_of(route, ask)
        price = batches.price
        priced = Dearest(target.target, None if price is None else Ceiling(price), (price,))
        receipt.route = ask.model
        gate = self._plan.limits.gate(self._key, receipt)
        money = (*gate.money, *self._plan.limits.target_gate.money)
        self.serves = _Serves(
            route=route,
            target=target,
            passthrough=target.provider.passthrough[ask.dialect],
            batches=batches,
            entry=entry,
            url=url_of(wire, entry.endpoint, ask.dialect),
            priced=priced,
            gate=gate,
            holds_money=any(it.limit.on_excess == "refuse" for it in money),
        )
        return self.serves

    def _mixed(self, ask: Ask, serves: _Serves) -> NoReturn:
        name = serves.route.route.name
        if ask.model != name:
            message = f"`model` is another than line 1's, {name!r}: a file is of one model"
            raise Refusal("invalid_parameter", message, param="model")
        message = f"`url` is another than line 1's, which asks {serves.entry.endpoint}"
        raise Refusal("invalid_parameter", message, param="url")

    def _bound(self, ask: Ask, receipt: Receipt, serves: _Serves) -> None:
        """Holds the line to what judges a request by itself, and adds what it can cost."""
        priced = serves.priced
        dearer = demands.uncovered_member(ask, priced.prices[0])
        if dearer is not None:
            message = f"`{dearer}` asks for what the price of a batch does not cover; leave it out"
            raise Refusal("invalid_parameter", message, param=dearer)
        assumed = self._plan.plan.assumed_output_tokens
        demand = demands.demand_of(ask, receipt, priced, assumed)
        before = demand.output_tokens
        for it in serves.gate.judges:
            if it.applies(receipt):
                try:
                    it.kind.check(it.limit, demand)
                except Refusal:
                    if not demands.count(demand, priced):
                        raise
                    it.kind.check(it.limit, demand)
        unasked = ask.output_ceiling_tokens is None and demand.choices > 0
        if demand.output_tokens < before or (serves.holds_money and unasked):
            ask.output_bound_tokens = demand.output_tokens
        elif unasked and ask.output_bound_tokens is None:
            self.unbound = True
        self._add(demand, priced)

    def _add(self, demand: Demand, priced: Dearest) -> None:
        demands.price(demand, priced)
        nanousd = demand.cost_nanousd
        if nanousd is None or self.most_nanousd is None or self.line_nanousd is None:
            self.most_nanousd = self.line_nanousd = None
        else:
            self.most_nanousd += nanousd
            self.line_nanousd = max(self.line_nanousd, nanousd)


def url_of(wire: BatchWire, endpoint: Endpoint, dialect: str) -> str:
    """What says to a provider which API the lines ask."""
    url = wire.url(endpoint)
    if dialect != OPENAI_RESPONSES:
        return url
    return url.replace("/chat/completions", "/responses")


def _read(line: bytes) -> _Line:
    try:
        members = read_object(line, _MEMBERS)
    except JsonProblem as problem:
        raise Refusal("invalid_json", str(problem).replace("the body", "it")) from None
    if not _MEMBERS.issuperset(members):
        raise Refusal("invalid_parameter", _WHY)
    try:
        said = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("invalid_parameter", _WHY) from None
    if said.method != "POST":
        raise Refusal("invalid_parameter", "`method` must be POST", param="method")
    return said


def _target_of(route: PreparedRoute, ask: Ask) -> tuple[PreparedTarget, Batches, BatchWire]:
    """The first of the route's own targets that takes files of such requests. Refusal."""
    for share in route.pool:
        target = share.target
        wire: BatchWire | None = getattr(target.provider, "batches", None)
        batches = target.target.batches
        form = "messages" if ask.dialect == ANTHROPIC_MESSAGES else "files"
        if wire is None or batches is None or wire.form != form:
            continue
        if target.serves(ask) and ask.dialect in target.provider.passthrough:
            return target, batches, wire
    raise Refusal(
        "invalid_request",
        "no provider of that model takes batches of such requests: `batch` of a target in the plan "
        "says which do",
        param="model",
    )
