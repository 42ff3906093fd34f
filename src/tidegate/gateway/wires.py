"""wires: a request in its target's wire, and the answer in its caller's.

Where both speak the same, bytes pass as they came. Otherwise they go by the common middle.
"""

from msgspec.structs import replace

from tidegate.core.ask import OPENAI_RESPONSES, Ask, Outgoing
from tidegate.core.plugs import Stamp, StreamReader
from tidegate.core.receipt import Receipt
from tidegate.core.spoken import answer_of
from tidegate.core.translated import TranslatedReader
from tidegate.gateway import embedding, stored
from tidegate.gateway.assign import stay
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.world import World


def find_stored(progress: Progress, ask: Ask, plan: PreparedPlan, world: World) -> PreparedRoute:
    """Whose and where the answer is that a request of Responses goes on from; the route that it
    obeys. Refusal."""
    obeyed = progress.route
    assert obeyed is not None  # noqa: S101 - the request has been resolved
    if ask.dialect != OPENAI_RESPONSES:
        return obeyed
    route = plan.routes[ask.model]
    speaking = [it for it in route.reachable() if ask.dialect in it.provider.passthrough]
    if speaking:
        digests = world.keys.digests
        progress.keeper = stored.read(ask, progress.receipt, speaking, digests)
    if progress.keeper is None:
        return obeyed
    target = progress.keeper[0]
    if route.candidate is not None:
        name = target.target.name
        route = obeyed = progress.route = stay(route, progress.receipt, name)
    if target in route.warm:  # whose price is not among those that the route's own are reckoned by
        obeyed = progress.route = replace(route, bound=target)
    return obeyed


def outgoing(progress: Progress, ask: Ask, world: World) -> Outgoing:
    """What is sent to the attempt's target. Refusal for what it cannot do, by the route's rule."""
    target, receipt = progress.target, progress.receipt
    assert target is not None  # noqa: S101 - the attempt has one
    if receipt.dropped:
        receipt.dropped = []  # by an attempt at another
    if ask.metered is not None:
        ask.stream = ask.metered.streamed  # an attempt before may have had it whole
    passing = target.provider.passthrough.get(ask.dialect)
    if passing is not None:
        return passing.encode(ask, target.target)
    route, said = progress.route, progress.said
    assert route is not None  # noqa: S101 - the request has been resolved
    drop = route.route.drops_unsupported
    if ask.endpoint == "embeddings":
        return embedding.outgoing(ask, target, receipt, drop=drop)
    if said is None:
        said = progress.said = world.dialects[ask.dialect].read(ask)
    ask.model_sent = target.target.model
    out = target.provider.encode_conversation(said, ask, target.target, drop)
    if out.dropped:
        receipt.dropped = list(out.dropped)
    return out


def reader(progress: Progress, ask: Ask, world: World) -> StreamReader:
    """Follows the target's stream, and says what its caller is to see of it."""
    target = progress.target
    assert target is not None  # noqa: S101 - the attempt has one
    passing = target.provider.passthrough.get(ask.dialect)
    if passing is not None:
        if ask.renamed is not None:
            _note_keeper(progress, ask)
        return passing.reader(ask)
    writer = world.dialects[ask.dialect].writer(ask, _stamp(progress.receipt))
    return TranslatedReader(target.provider.spoken_reader(ask), writer)


def whole(progress: Progress, ask: Ask, body: bytes, world: World) -> bytes:
    """A whole answer as its caller is to see it, read for settle. Failure (`malformed`)."""
    target = progress.target
    assert target is not None  # noqa: S101 - the attempt has one
    passing = target.provider.passthrough.get(ask.dialect)
    if passing is not None:
        answer = progress.answer = passing.read_answer(ask, body)
        if answer.shown is not None:
            return answer.shown
        if ask.renamed is None or answer.provider_request_id is None:
            return body
        _note_keeper(progress, ask)
        return ask.renamed(body, answer.provider_request_id)
    if ask.endpoint == "embeddings":
        made, progress.answer = embedding.answer_of(ask, target, body)
        return embedding.whole(ask, target, made)
    spoken = target.provider.read_spoken(ask, body)
    progress.answer = answer_of(spoken)
    return world.dialects[ask.dialect].whole(ask, _stamp(progress.receipt), spoken)


def check(ask: Ask, target: PreparedTarget, body: bytes) -> None:
    """Failure where `body` is an error, or no answer."""
    passing = target.provider.passthrough.get(ask.dialect)
    if passing is not None:
        passing.read_answer(ask, body)
    elif ask.endpoint == "embeddings":
        embedding.answer_of(ask, target, body)
    else:
        target.provider.read_spoken(ask, body)


def _note_keeper(progress: Progress, ask: Ask) -> None:
    """Who keeps the answer that comes now."""
    if isinstance(ask.renamed, stored.Renamed):
        ask.renamed.replica = progress.replica


def _stamp(receipt: Receipt) -> Stamp:
    return Stamp(receipt.id, receipt.started_at_s)
