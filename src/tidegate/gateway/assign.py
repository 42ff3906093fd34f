"""assign: which arm of a release under way a request belongs to, and who says so.

The unit that a request belongs to decides, the same in every process (`core.arm`). Before it come
those whom the release's file names, a key whose caller may choose, and a conversation's own past:
it stays with the version that answered its first turn, unless nobody gets the release any more.
"""

from typing import Final

from tidegate.core.arm import Arm, UnitKind, bucket, is_canary, lane_of
from tidegate.core.ask import OPENAI_RESPONSES, Ask, turns_of
from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.core.purpose import MEASURING
from tidegate.core.receipt import Receipt
from tidegate.gateway.context import identifier
from tidegate.gateway.http.strict import Headers
from tidegate.gateway.prepared_route import PreparedCandidate, PreparedRoute
from tidegate.text.fingerprint import conversation, has_answer

# Attributes of a key. The first names the unit of an experiment, or says that its caller does; the
# second lets its caller choose the arm.
EXPERIMENT_UNIT: Final = "experiment-unit"
BY_HEADER: Final = "header"
CHOOSES_ARM: Final = "chooses-arm"
UNIT_HEADER: Final = b"x-tidegate-experiment-unit"
ARM_HEADER: Final = b"x-tidegate-arm"
_SEPARATOR: Final = "\x1f"
_ARMS: Final = {b"stable": False, b"canary": True}


def assign(
    ask: Ask, key: KeyRecord, headers: Headers, route: PreparedRoute, receipt: Receipt
) -> PreparedRoute:
    """What the request obeys of a route with a candidate, noted on the receipt. Refusal."""
    candidate = route.candidate
    assert candidate is not None  # noqa: S101 - see `resolve`
    if receipt.purpose in MEASURING and not (
        ARM_HEADER in headers and CHOOSES_ARM in key.attributes
    ):
        return route  # a run is one unit: all of it would be asked of one arm, by chance
    kind, unit = _unit(candidate, ask, key, headers, receipt)
    if candidate.lane is not None:
        found = _of_lane(route, unit, key, headers)
        if found is None:
            return route
        candidate = found
    receipt.rollout = candidate.rollout
    place = bucket(candidate.salt, unit)
    receipt.unit, receipt.unit_kind = place, kind
    weight = candidate.weight
    chosen = _chosen(candidate, key, headers)
    if chosen is not None:
        canary, receipt.arm_forced = chosen and weight > 0, True
    else:
        canary = is_canary(place, weight)
        if kind != "request" and ask.endpoint == "chat":
            canary = _as_before(candidate, ask, unit, canary, receipt)
    if canary and not _serves(candidate.route, ask) and _serves(route, ask):
        canary, receipt.arm_forced = False, True
    receipt.arm = _name(canary)
    return candidate.route if canary else route


def stay(route: PreparedRoute, receipt: Receipt, target: str) -> PreparedRoute:
    """What a request obeys that only `target` can serve, which keeps the answer that it goes on
    from. What the last release left warm is the route's own. Refusal where that is a release which
    nobody gets any more."""

    def has(one: PreparedCandidate | None) -> bool:
        version = route if one is None else one.route
        return any(it.target.name == target for it in version.targets())

    under_way = route.candidates
    of_arm = receipt.rollout if receipt.arm == "canary" else None
    own = next((it for it in under_way if it.rollout == of_arm), None)
    keeping = next((it for it in (own, None, *under_way) if has(it)), None)
    version = route if keeping is None else keeping.route
    if keeping is own:
        receipt.arm_forced = receipt.arm_forced or not has(own)
        return version
    if keeping is not None and keeping.weight <= 0:
        name = "previous_response_id"
        message = f"`{name}` is of a release that was rolled back; send the whole conversation"
        raise Refusal("invalid_parameter", message, param=name)
    receipt.arm, receipt.arm_forced = _name(keeping is not None), True
    receipt.rollout = receipt.rollout if keeping is None else keeping.rollout
    receipt.release = version.route.release.name
    return version


def _of_lane(
    route: PreparedRoute, unit: str, key: KeyRecord, headers: Headers
) -> PreparedCandidate | None:
    """The release that the unit may get: the one that somebody has chosen for it, or the one whose
    lane it is in. None where that lane has none now."""
    told = headers.get(ARM_HEADER) if CHOOSES_ARM in key.attributes else None
    if told in _ARMS:
        told = None  # of whichever release it is in the lane of, also where one is called so
    for candidate in route.candidates:
        if told is not None and told == _own_name(candidate):
            return candidate
        if not candidate.always.isdisjoint(_whose(key)):
            return candidate
    for candidate in route.candidates:
        lane = candidate.lane
        if lane is not None and lane.number == lane_of(lane.salt, unit):
            return candidate
    return None


def _own_name(candidate: PreparedCandidate) -> bytes:
    """What a release is called on its route."""
    return candidate.rollout.removeprefix(candidate.route.route.name + "/").encode()


def _whose(key: KeyRecord) -> tuple[str, ...]:
    return f"key:{key.id}", f"team:{key.team}", f"customer:{key.customer}"


def _name(canary: bool) -> Arm:
    return "canary" if canary else "stable"


def _serves(route: PreparedRoute, ask: Ask) -> bool:
    return route.target.serves(ask) or bool(route.serving(ask))


def _chosen(candidate: PreparedCandidate, key: KeyRecord, headers: Headers) -> bool | None:
    """Whether somebody has chosen the release for the request, or against it; None: nobody has."""
    if candidate.named:
        whose = _whose(key)
        if not candidate.never.isdisjoint(whose):
            return False
        if not candidate.always.isdisjoint(whose):
            return True
    if CHOOSES_ARM not in key.attributes or ARM_HEADER not in headers:
        return None
    told = headers[ARM_HEADER]
    chosen = _ARMS.get(told, True if told == _own_name(candidate) else None)
    if chosen is None:
        message = "`x-tidegate-arm` must be stable, canary or the name of a release"
        raise Refusal("invalid_parameter", message, param="x-tidegate-arm")
    return chosen


def _as_before(
    candidate: PreparedCandidate, ask: Ask, unit: str, canary: bool, receipt: Receipt
) -> bool:
    """The same, unless an earlier turn of its conversation was answered otherwise. What was
    assigned at another weight is no part of a comparison, in either arm."""
    messages = turns_of(ask)
    if messages is None:
        return canary
    items, name = ask.dialect == OPENAI_RESPONSES, unit
    if receipt.unit_kind != "conversation":
        which = receipt.session_id or conversation(messages, items=items)
        name = f"{unit}{_SEPARATOR}{which}"
    if not has_answer(messages, items=items):
        candidate.firsts.begin(name, canary, candidate.weight)
        return canary
    known = candidate.firsts.of(name)
    if known is None or known[1] == candidate.weight:
        return canary
    receipt.arm_forced = True
    return known[0] and candidate.weight > 0


def _unit(
    candidate: PreparedCandidate, ask: Ask, key: KeyRecord, headers: Headers, receipt: Receipt
) -> tuple[UnitKind, str]:
    """The first of the units that the release looks for which the request has."""
    for kind in candidate.units:
        unit: str | None = None
        match kind:
            case "experiment":
                unit = _experiment(key, headers)
            case "user":
                unit = receipt.end_user
            case "conversation":
                unit = _conversation(ask, key, receipt)
            case "key":
                return kind, key.id
            case "request":
                return kind, receipt.id
        if unit:
            # Nobody's users, sessions or experiments are those of another tenant.
            return kind, _SEPARATOR.join((key.team, key.customer or "", unit))
    return "request", receipt.id


def _experiment(key: KeyRecord, headers: Headers) -> str | None:
    """The unit that the key names, or that it lets its caller name."""
    granted = key.attributes.get(EXPERIMENT_UNIT)
    if granted != BY_HEADER:
        return granted
    told = headers.get(UNIT_HEADER)
    return None if told is None else identifier(told.decode("latin-1"))


def _conversation(ask: Ask, key: KeyRecord, receipt: Receipt) -> str | None:
    if receipt.session_id is not None:
        return receipt.session_id
    messages = turns_of(ask)
    if messages is None:
        return None
    begun = conversation(messages, items=ask.dialect == OPENAI_RESPONSES)
    return f"{key.id}{_SEPARATOR}{begun:x}"
