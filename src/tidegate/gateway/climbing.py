"""How far down its route's ladder one request is, and what is asked there in its place.

Each rung starts from the request as it came, so that nothing of the rungs before it holds.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from tidegate.core.ask import Ask, content_name
from tidegate.core.ladder import RungReason
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Dialect
from tidegate.core.receipt import Receipt
from tidegate.gateway.cache_control import take_out
from tidegate.gateway.prepared_route import PreparedLadder, PreparedRoute, PreparedRung
from tidegate.gateway.prompt_versions import MEMBER, Asked
from tidegate.gateway.prompted import written
from tidegate.gateway.size import note_conversation, size

_encode: Final = msgspec.json.Encoder().encode
_asked: Final = msgspec.json.Decoder(Asked).decode
# What deriving a request notes on the receipt, and what is to stand there only once it is served.
_NOTED: Final = ("prompt", "prompt_version", "input_bytes", "output_ceiling_tokens", "asked_digest")


# What sending it elsewhere has made of it.
_UNSENT: Final[Mapping[str, Any]] = {
    "output_bound_tokens": None,
    "output_cap_tokens": None,
    "model_sent": "",
}


class Step(Struct, eq=False):
    """One rung as it is for one request. `ask` and `route` are what is asked there, and obeyed;
    `noted` is what the receipt tells of it then."""

    rung: PreparedRung
    reason: RungReason
    ask: Ask
    route: PreparedRoute
    noted: Mapping[str, object] = {}


class Climbing(Struct, eq=False):
    """`came` is the request as it was accepted, but for how long its answer may be and whom it was
    sent to; `own` is its route before anything was written into it. `step` None: the route itself
    serves. `otherwise` is what serves where `step` turns out to have nothing to give, and `no` what
    is told where nothing has. `paid`: money is held for what is asked, where any is. `fallen`: it
    was for more than its route to serve. `cause` is the first that has led it down once somebody
    was asked, by the words `signs` at last."""

    ladder: PreparedLadder
    came: Ask
    own: PreparedRoute
    step: Step | None = None
    otherwise: Step | None = None
    no: Refusal | None = None
    paid: bool = True
    fallen: bool = False
    cause: Refusal | Failure | None = None
    signs: tuple[RungReason, ...] = ()

    @property
    def held(self) -> int:
        """The rung that limits hold for."""
        sure = self.otherwise or self.step
        return 0 if sure is None else sure.rung.number

    @property
    def number(self) -> int:
        return 0 if self.step is None else self.step.rung.number


def begun(ask: Ask, route: PreparedRoute) -> Climbing | None:
    """Before anything of its route is written into the request. None where no rung is for it."""
    ladder = route.ladder
    if ladder is None or ask.endpoint != "chat" or ask.counts:
        return None
    writes = (route.addition or route.prompt or route.cache) is not None
    return Climbing(ladder, replace(ask) if writes else ask, route)


def derive(
    climb: Climbing,
    rung: PreparedRung,
    reason: RungReason,
    dialect: Dialect,
    receipt: Receipt,
) -> Step:
    """What is asked at a rung. Refusal where this request cannot be asked so."""
    ask, own = replace(climb.came, **_UNSENT), climb.own
    if not rung.asks:
        return Step(rung, reason, ask, own)
    route = own if rung.route is None else rung.route
    route = replace(route, addition=rung.addition, prompt=rung.prompt, guardrails=own.guardrails)
    members = dict(ask.members)
    if rung.rung.history is not None:
        note_conversation(ask, receipt)  # as its caller knows it, however little of it is sent
        name = content_name(ask)
        if name in members:
            members[name] = dialect.trimmed(members[name], rung.rung.history)
    if rung.prompt is not own.prompt:
        _fit_variables(rung, members)
    if len(members) != len(ask.members) or any(
        value is not ask.members[name] for name, value in members.items()
    ):
        ask.members, ask.body = members, _encode(members)
    before = {name: getattr(receipt, name) for name in _NOTED}
    try:
        if route.cache is not None or route.vectors is not None:
            take_out(ask)
        route = written(ask, route, receipt)
        size(ask, receipt, _cap(rung, own))
        noted = {name: getattr(receipt, name) for name in _NOTED}
    finally:
        for name, value in before.items():
            setattr(receipt, name, value)
    return Step(rung, reason, ask, route, noted)


def _cap(rung: PreparedRung, own: PreparedRoute) -> int | None:
    caps = (rung.rung.max_output_tokens, own.output_cap_tokens)
    return min((cap for cap in caps if cap is not None), default=None)


def _fit_variables(rung: PreparedRung, members: dict[str, Raw]) -> None:
    """Of the variables that were sent for the route's own prompt those that the rung's has."""
    raw = members.pop(MEMBER, None)
    if raw is None or rung.prompt is None:
        return
    try:
        asked = _asked(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # the route's own has refused it
    known = {it.name for it in rung.prompt.usual.prompt.inputs}
    fitting = {name: it for name, it in (asked.variables or {}).items() if name in known}
    members[MEMBER] = Raw(_encode({"variables": fitting}))
