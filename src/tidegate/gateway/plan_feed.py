"""Holds the current plan and the changes in force over it: from disk at the start, from control's
feed while it lives.

The last good plan goes on serving whatever happens to control (`silent_control` reads on then). A
plan that this gateway cannot obey is refused whole and reported; keys that changed are forgotten at
once. Changes lapse here by themselves (`levers`).
"""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tidegate.core import clock, feed
from tidegate.core.plan import Plan
from tidegate.gateway.held_late import hold_late, hold_of_key
from tidegate.gateway.holding import moment
from tidegate.gateway.overlay import put_in_force
from tidegate.gateway.prepared import PreparedPlan, Preparer
from tidegate.gateway.world import World

log = logging.getLogger(__name__)

RECONNECT_S = 0.1
RECONNECT_MAX_S = 0.25
# Control sends something every HEARTBEAT_S; silence this long means that it is gone.
SILENCE_S = 8 * feed.HEARTBEAT_S
START_S = 8.0

_decode_plan = msgspec.msgpack.Decoder(Plan).decode


class PlanFeed:
    """Follows the feed for ever; `status` is asked every second for what to report."""

    def __init__(self, world: World, preparer: Preparer, status: Callable[[], feed.Status]) -> None:
        self._world = world
        self._preparer = preparer
        self._status = status
        # Control may be starting beside us, and no key is held yet that it could have revoked.
        self._heard_s = clock.monotonic_s() + START_S
        self._one_at_a_time = asyncio.Lock()
        self._holding: set[asyncio.Task[None]] = set()
        self._base: PreparedPlan | None = None
        self.last_seq = 0
        self.connected = False

    def is_silent(self) -> bool:
        """Whether control has said nothing for longer than it does while it lives."""
        return clock.monotonic_s() - self._heard_s > SILENCE_S

    async def load(self, path: Path) -> bool:
        """Obeys the plan on disk, if there is a good one."""
        try:
            data = await asyncio.to_thread(path.read_bytes)
            await self._obey(_decode_plan(data))
        except FileNotFoundError:
            return False
        except Exception as error:
            log.error("the plan on disk cannot be used: %s", error)
            return False
        return True

    async def follow(self, socket_path: Path) -> None:
        """Connects, follows, and connects again; returns never."""
        wait_s = RECONNECT_S
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(socket_path))
            except OSError:
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, RECONNECT_MAX_S)
                continue
            wait_s = RECONNECT_S
            self.connected = True
            try:
                async with asyncio.TaskGroup() as tasks:
                    reporting = tasks.create_task(self._report(writer))
                    await self._read(reader, writer)
                    reporting.cancel()
            except* (OSError, EOFError, TimeoutError, msgspec.DecodeError) as errors:
                log.warning("the feed broke off: %r", errors.exceptions[0])
            finally:
                self.connected = False
                writer.transport.abort()
            await asyncio.sleep(RECONNECT_S)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = self._world.plan
        obeyed = 0 if plan is None else plan.plan.version
        hello = feed.Hello(self._world.slot, os.getpid(), self.last_seq, obeyed)
        writer.write(feed.encode_message(hello))
        while True:
            async with asyncio.timeout(SILENCE_S):
                head = await reader.readexactly(feed.LENGTH.size)
                (length,) = feed.LENGTH.unpack(head)
                if length > feed.MAX_MESSAGE_BYTES:
                    raise EOFError("a message is too long")
                message = feed.decode_to_gateway(await reader.readexactly(length))
            self._heard_s = clock.monotonic_s()
            if isinstance(message, feed.Entry):
                ack = await self.apply(message)
                writer.write(feed.encode_message(ack))
            elif isinstance(message, feed.Recorded):
                self._world.journal.recorded(message.segment, message.offset)
            elif isinstance(message, feed.Beat):
                self._lay(self._world.levers.beat(message.epoch, clock.monotonic_s()))

    def sweep(self, now_s: float) -> None:
        """Lets go of changes that are over. Called ten times a second."""
        self._lay(self._world.levers.sweep(now_s))

    async def apply(self, entry: feed.Entry) -> feed.Ack:
        """Obeys an entry of the feed, wherever it was read."""
        error: str | None = None
        body = entry.body
        if self.last_seq == 0:
            # What changed before this gateway joined is told to nobody: read every key anew.
            self._world.keys.forget_all()
            self._world.cache.invalidations.forget_all()
        if isinstance(body, feed.KeyChanged):
            self._world.keys.forget(body.key_id)
            self._hold_of(body.key_id)
        elif isinstance(body, feed.Forget):
            self._world.keys.forget_all()
            self._world.levers.forget()
            self._world.cache.forget_all()
        elif isinstance(body, feed.AnswersInvalidated):
            for one in body.invalidations:
                self._world.cache.invalidate(one.id, one.selector)
        elif isinstance(body, feed.ChangesInForce):
            error = self._world.levers.told(body, clock.monotonic_s())
            self._lay(True)
        elif isinstance(body, feed.PlanPublished):
            try:
                await self._obey(_decode_plan(body.plan))
            except Exception as problem:  # whatever is wrong with it, the last good one serves on
                error = str(problem) or type(problem).__name__
                log.error(
                    "plan %d is refused, the last good one serves on: %s", body.version, error
                )
            self._world.cache.caught_up()
        self.last_seq = entry.seq
        plan = self._world.plan
        return feed.Ack(entry.seq, 0 if plan is None else plan.plan.version, error)

    def _hold_of(self, key_id: str) -> None:
        """In a task of its own: the feed, and so a revocation, waits for no reading of keys."""
        if any(progress.receipt.key_id == key_id for progress in self._world.served()):
            task = asyncio.get_running_loop().create_task(hold_of_key(key_id, self._world))
            self._holding.add(task)
            task.add_done_callback(self._holding.discard)

    async def _obey(self, plan: Plan) -> None:
        async with self._one_at_a_time:  # it may come by the feed and from the store at once
            if not self._is_old(plan):
                self._take(plan, await self._preparer.prepare(plan))

    def _take(self, plan: Plan, prepared: PreparedPlan) -> None:
        world = self._world
        self._base = prepared
        world.listener.obey(plan.http)
        world.max_response_bytes = plan.http.max_response_bytes
        world.journal.bounds = plan.journal
        world.queues.obey(plan)
        world.cache.obey(plan)
        self._lay(True)
        hold_late(self._preparer.adopt(prepared), world.served(), moment())
        log.info("obeying plan %d (%s)", plan.version, plan.digest[:12])

    def _lay(self, others: bool) -> None:
        """Has requests obey the plan with the changes of now, where they are `others` than were."""
        if others and self._base is not None:
            put_in_force(self._world, self._base, self._world.levers.standing())

    def _is_old(self, plan: Plan) -> bool:
        current = self._world.plan
        return current is not None and current.plan.version >= plan.version

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(feed.encode_message(self._status()))
            await writer.drain()
            await asyncio.sleep(feed.STATUS_S)
