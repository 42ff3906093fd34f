"""wires: a request in its target's wire, and the answer in its caller's.

Where both speak the same, bytes pass as they came. Otherwise they go by the common middle.
"""

import re

from tidegate.core.ask import OPENAI_RESPONSES, Ask, Outgoing
from tidegate.core.plugs import Stamp, StreamReader
from tidegate.core.receipt import Receipt
from tidegate.core.spoken import answer_of
from tidegate.core.translated import TranslatedReader
from tidegate.gateway import stored
from tidegate.gateway.prepared import PreparedTarget
from tidegate.gateway.progress import Progress
from tidegate.gateway.world import World

MAX_DROPPED = 32
MAX_NAME_CHARS = 64
_ODD = re.compile(r"[^A-Za-z0-9_.\[\]-]")


def read(progress: Progress, ask: Ask, target: PreparedTarget, world: World) -> None:
    """The request in the common middle, for a target that speaks another wire. Refusal."""
    if ask.dialect not in target.provider.dialects:
        progress.said = world.dialects[ask.dialect].read(ask)
    elif ask.dialect == OPENAI_RESPONSES:
        progress.replica = stored.read(ask, progress.receipt, target, world.keys.digests)


def outgoing(progress: Progress, ask: Ask, target: PreparedTarget) -> Outgoing:
    """What is sent to the target. Refusal for what it cannot do, by the route's rule."""
    said, route = progress.said, progress.route
    if said is None:
        return target.provider.encode(ask, target.target)
    drop = route is not None and route.drops_unsupported
    out = target.provider.encode_conversation(said, ask, target.target, drop)
    if out.dropped:
        progress.receipt.dropped = [_shown(name) for name in out.dropped[:MAX_DROPPED]]
    return out


def reader(progress: Progress, ask: Ask, target: PreparedTarget, world: World) -> StreamReader:
    """Follows the target's stream, and says what its caller is to see of it."""
    if progress.said is None:
        return target.provider.reader(ask)
    writer = world.dialects[ask.dialect].writer(ask, _stamp(progress.receipt))
    return TranslatedReader(target.provider.spoken_reader(ask), writer)


def whole(progress: Progress, ask: Ask, target: PreparedTarget, body: bytes, world: World) -> bytes:
    """A whole answer as its caller is to see it, read for settle. Failure (`malformed`)."""
    if progress.said is None:
        answer = progress.answer = target.provider.read_answer(ask, body)
        if ask.renamed is not None and answer.provider_request_id is not None:
            return ask.renamed(body, answer.provider_request_id)
        return body
    spoken = target.provider.read_spoken(ask, body)
    progress.answer = answer_of(spoken)
    return world.dialects[ask.dialect].whole(ask, _stamp(progress.receipt), spoken)


def check(progress: Progress, ask: Ask, target: PreparedTarget, body: bytes) -> None:
    """Failure where `body` is an error, or no answer."""
    if progress.said is None:
        target.provider.read_answer(ask, body)
    else:
        target.provider.read_spoken(ask, body)


def _shown(name: str) -> str:
    """A member's name as it may stand in a header: it is the caller's own."""
    return _ODD.sub("?", name[:MAX_NAME_CHARS])


def _stamp(receipt: Receipt) -> Stamp:
    return Stamp(receipt.id, receipt.started_at_s)
