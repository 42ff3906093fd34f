"""One probe: a request of the gateway's own to one part of a target, from its receipt to settle.

It goes the way of a caller's request, with the same codec, credential and connections. It stands in
no line, takes no place and holds no limit; what it shows is told to the breaker.
"""

import asyncio
from typing import Final

from msgspec import structs

from tidegate.core import clock
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.probe import PROBE
from tidegate.core.receipt import Receipt
from tidegate.gateway import wires
from tidegate.gateway.breaker import Verdict
from tidegate.gateway.call import call
from tidegate.gateway.decline import break_off, decline, forget_frames
from tidegate.gateway.http.answering import Answering
from tidegate.gateway.prepared_probe import PreparedProbe
from tidegate.gateway.prepared_target import PreparedReplica
from tidegate.gateway.progress import Progress
from tidegate.gateway.settle import settle
from tidegate.gateway.size import size
from tidegate.gateway.stream import Relay
from tidegate.gateway.tell import ALIVE, tell_identity
from tidegate.gateway.world import World

_LEAST: Final = "batch"


class Nobody(Answering):
    """Whom a probe's answer goes to: it is read, judged and thrown away."""

    __slots__ = ()

    def send(self, head: bytes, body: bytes) -> None:
        pass

    def start(self, head: bytes, first: bytes) -> None:
        pass

    def write(self, data: bytes) -> None:
        pass

    def write_chunk(self, chunk: bytes, data: bytes) -> None:
        pass

    def finish(self, last: bytes) -> None:
        pass

    def cut(self, last: bytes) -> None:
        pass

    def abort(self) -> None:
        pass


async def probe(asked: PreparedProbe, replica: PreparedReplica, world: World) -> Receipt:
    """The receipt of one probe, which has no error where the answer was a good one."""
    target = asked.target.target
    receipt = Receipt(world.ids.new(), clock.wall_s(), world.gateway, asked.ask.endpoint)
    receipt.purpose, receipt.priority = PROBE, _LEAST
    receipt.model_asked, receipt.stream = target.model, asked.ask.stream
    receipt.plan_version = 0 if world.plan is None else world.plan.plan.version
    nobody = Nobody(world.listener)
    progress = Progress(receipt, nobody, clock.monotonic_s(), nobody.abort)
    progress.ask = structs.replace(asked.ask)
    progress.route, progress.target, progress.replica = asked.route, asked.target, replica
    size(progress.ask, receipt)
    progress.tries = replica.breaker.enter(clock.monotonic_s())
    verdict: Verdict = "dropped"
    try:
        await _ask(progress, asked, replica, world)
        receipt.status, verdict = 200, "worked"
    except (Refusal, Failure) as no:
        decline(progress, no)
        verdict = _verdict(no, replica)
        if no.code.name == "upstream_auth":
            tell_identity(progress)
        forget_frames(no)
    except asyncio.CancelledError:
        decline(progress, Refusal("draining", "the gateway is shutting down"))
        raise
    except Exception as error:
        break_off(progress, error)
    finally:
        if verdict == "worked" and receipt.error_code is None and replica.credential.rests_until_s:
            replica.credential.accepted()
        replica.breaker.probed(verdict, progress.tries, clock.monotonic_s())
        settle(progress, world)
    return receipt


async def _ask(
    progress: Progress, asked: PreparedProbe, replica: PreparedReplica, world: World
) -> None:
    """Sends it and reads the whole answer. Refusal or Failure where it is no good one."""
    ask = progress.ask
    assert ask is not None  # noqa: S101 - see `probe`
    answered = await call(progress, ask, replica, world)
    if not ask.stream:
        wires.whole(progress, ask, answered.take_body(), world)
        return
    reader = wires.reader(progress, ask, world)
    relay = progress.relay = Relay(answered, reader, progress.connection, b"")
    following = asked.follow(ask)
    if following is not None:
        relay.hold_against(following)
    await relay.run()


def _verdict(no: Refusal | Failure, replica: PreparedReplica) -> Verdict:
    if isinstance(no, Refusal):
        return "dropped"
    if no.code.name == "upstream_auth":
        replica.credential.refused(clock.monotonic_s())
        return "worked"
    return "worked" if no.kind in ALIVE else "failed"
