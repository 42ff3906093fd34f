"""One gateway process from start to drained."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
from collections.abc import Sequence
from functools import partial

import uvloop

from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.core.limit import Moment
from tidegate.core.plan import HttpBounds, JournalBounds
from tidegate.gateway import batch_restore, batch_watch, captures, feedback
from tidegate.gateway.answer_cache import connecting
from tidegate.gateway.batch_front import UPLOADS, leave_to_send
from tidegate.gateway.captures import Captures
from tidegate.gateway.feedback import Hearing
from tidegate.gateway.front import Front
from tidegate.gateway.handovers import Handovers
from tidegate.gateway.http.listener import SWEEP_S, Listener
from tidegate.gateway.http.spools import Spools
from tidegate.gateway.issuers import Issuers
from tidegate.gateway.journal import Journal
from tidegate.gateway.journal_lock import JournalLocked
from tidegate.gateway.keys import Keys
from tidegate.gateway.options import bound_socket, read_options, tls_of
from tidegate.gateway.past import LedgerPast
from tidegate.gateway.plan_feed import PlanFeed
from tidegate.gateway.prepared import Preparer
from tidegate.gateway.pressure import memory_share
from tidegate.gateway.prober import Prober
from tidegate.gateway.shadow import Shadows
from tidegate.gateway.shared_store import SharedStores
from tidegate.gateway.silent_control import READ_TIMEOUT_S, SilentControl
from tidegate.gateway.spool import FINISH_S, Spool
from tidegate.gateway.vector_stores import reaching
from tidegate.gateway.vitals import Vitals, resident_bytes
from tidegate.gateway.watchdog import Watchdog
from tidegate.gateway.world import World
from tidegate.stores.errors import StoreError
from tidegate.stores.feed_reader import FeedReader
from tidegate.stores.key_reader import KeyReader
from tidegate.stores.memory_counters import memory_counters
from tidegate.stores.peppers import read_peppers
from tidegate.stores.shared import shared_database

log = logging.getLogger("tidegate.gateway")

TICK_S = 0.1
# How soon a key that has been written anew is used.
RENEW_S = 5.0
MEASURE_EVERY_S = 1.0
PLAN_WAIT_S = 15.0
SHARED_READ_S = 1.0
STORE_WAIT_S = 3.0
# After a standstill (a paused machine) what had come meanwhile is read before anything expires.
STANDSTILL_S = 2.0
FORGIVE_S = 2.0
# Collections of the oldest generation walk everything; the hot path makes next to no cycles.
GC_THRESHOLDS = (50_000, 20, 100)


def main(argv: Sequence[str]) -> int:
    """Runs a gateway until it is told to stop; the process's exit status."""
    options = read_options(argv)
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s %(levelname)s gateway-{options.slot} %(name)s: %(message)s",
    )
    _raise_descriptor_limit()
    try:
        return uvloop.run(Process(options).run())
    except JournalLocked as error:
        log.error("%s", error)
        return 1


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Process:
    """Puts the parts together and takes them apart again."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._layout = Layout(options.state)
        self._signals = 0
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        name = f"gateway-{options.slot}"
        peppers = partial(read_peppers, self._layout.state)
        self._shared = shared = shared_database(os.environ, self._layout)
        keys = Keys(self._key_reader(), peppers(), peppers)
        journal = Journal(self._layout.journal_of(name), JournalBounds())
        self._world = World(name, keys, journal, shared.node if shared else "")
        self._past = LedgerPast(self._layout, name, journal, shared)
        self._world.past = self._past
        self._world.listener = Listener(Front(self._world).answer, HttpBounds())
        spools = self._world.listener.spools = Spools(UPLOADS, options.state)
        spools.leave = partial(leave_to_send, self._world)
        self._world.batches.folder = options.state
        self._stores = SharedStores(self._world.gateway, os.environ, self._past)
        self._preparer = Preparer(os.environ, memory_counters, self._stores)
        self._issuers = self._preparer.issuers = Issuers(self._layout.issuers, keys, os.environ)
        self._world.cache.connect = connecting(os.environ, self._world.gateway)
        self._world.cache.keep_in(self._layout.kept_of(name))
        self._world.cache.vectors.connect = reaching(os.environ, self._world.gateway)
        self._prober = Prober(self._world)
        self._world.shadows = self._shadows = Shadows(self._world)
        said = Spool(self._layout.spool_of("captured", name), captures.MAX_SPOOL_BYTES)
        self._captures = self._world.captures = Captures(said)
        heard = Spool(self._layout.spool_of("feedback", name), feedback.MAX_SPOOL_BYTES)
        self._hearing = self._world.hearing = Hearing(heard)
        self._handovers = Handovers(self._layout.handover, name, os.environ)
        self._world.handovers = self._handovers
        self._vitals = Vitals(self._world, self._preparer, self._stores, self._prober)
        self._vitals.hearing = self._hearing
        self._vitals.handovers = self._handovers
        self._feed = PlanFeed(self._world, self._preparer, self._vitals.status)
        reader = FeedReader(shared or self._layout.ledger_db, timeout_s=READ_TIMEOUT_S)
        self._silent_control = SilentControl(self._feed, reader)
        self._watchdog = Watchdog()

    async def run(self) -> int:
        """Serves until stopped. 0 after a clean drain."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(number, self._on_signal)
        self._watch_parent()
        self._world.journal.open(await self._recorded())
        tasks = [
            loop.create_task(self._feed.follow(self._layout.feed_socket)),
            loop.create_task(self._silent_control.watch()),
            loop.create_task(self._tick()),
            loop.create_task(self._renew_keys()),
            loop.create_task(self._issuers.watch(RENEW_S)),
            loop.create_task(self._finish_spools()),
            loop.create_task(self._handovers.run()),
            loop.create_task(self._watch_batches()),
        ]
        try:
            if not await self._first_plan():
                return 1
            await self._silent_control.begin()
            if self._stores.current is not None:
                await self._stores.current.ready(STORE_WAIT_S)
            host, port = await self._world.listener.listen(
                bound_socket(self._options), tls_of(self._options)
            )
            log.info("listening on %s:%d", host, port)
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            self._watchdog.start()
            await self._stopping.wait()
            await self._drain()
        finally:
            await self._prober.stop()
            await self._shadows.stop()
            await self._world.cache.stop()
            await self._preparer.identities.stop()
            # No provider is asked once the journal is closed.
            tasks += self._world.batches.beginning
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._handovers.stop()
            await self._stores.close()
            await self._world.journal.close()
            await asyncio.to_thread(self._captures.close)
            await asyncio.to_thread(self._hearing.spool.close)
            self._world.keys.close()
            self._silent_control.close()
            self._past.close()
            self._watchdog.stop()
        return 0

    def _key_reader(self) -> KeyReader:
        if self._shared is None:
            return KeyReader(self._layout.ledger_db)
        return KeyReader(self._shared, timeout_s=SHARED_READ_S)

    async def _recorded(self) -> tuple[int, int]:
        """How far the ledger holds this gateway's journal; (0, 0) when it cannot say."""
        if self._shared is None and not self._layout.ledger_db.exists():
            return (0, 0)  # the first start: nothing has been recorded
        reader = self._key_reader()
        try:
            return await asyncio.to_thread(reader.journal_position, self._world.slot) or (0, 0)
        except StoreError as error:
            log.warning("numbering the journal by its files alone: %s", error)
            return (0, 0)
        finally:
            reader.close()

    async def _first_plan(self) -> bool:
        """Waits for a plan, from disk or from control."""
        until_s = clock.monotonic_s() + PLAN_WAIT_S
        while self._world.plan is None:
            if await self._feed.load(self._layout.plan):
                break
            if self._stopping.is_set() or clock.monotonic_s() > until_s:
                log.error("there is no plan to obey at %s", self._layout.plan)
                return False
            await asyncio.sleep(TICK_S)
        return True

    async def _watch_batches(self) -> None:
        """From the first plan on, also those of the process before this one."""
        while self._world.plan is None:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(TICK_S)
        await asyncio.gather(batch_watch.watch(self._world), batch_restore.watch(self._world))

    async def _renew_keys(self) -> None:
        """Keys that expire are written anew before they do."""
        while True:
            await asyncio.sleep(RENEW_S)
            await self._preparer.refresh()

    async def _finish_spools(self) -> None:
        """What was written to the spools becomes the recorder's, soon."""
        while True:
            await asyncio.sleep(FINISH_S)
            for spool in (self._captures.spool, self._hearing.spool):
                await asyncio.to_thread(spool.sweep, clock.monotonic_s())

    async def _tick(self) -> None:
        """The one timer of this process: deadlines, pools, lag, the size of the journal."""
        world = self._world
        measured_s = swept_s = clock.monotonic_s()
        forgiving_until_s = 0.0
        while True:
            slept_s = clock.monotonic_s()
            await asyncio.sleep(TICK_S)
            now_s = clock.monotonic_s()
            lag_s = now_s - slept_s - TICK_S
            self._vitals.late(lag_s)
            world.pressure.lag(lag_s)
            self._vitals.stalls = self._watchdog.stalls
            self._watchdog.beat(now_s)
            if lag_s > STANDSTILL_S:
                forgiving_until_s = now_s + FORGIVE_S
            try:
                self._feed.sweep(now_s)  # a lease that is over holds nothing, whoever stood still
                if now_s < forgiving_until_s:
                    continue
                world.sweep(now_s)
                if now_s - swept_s >= SWEEP_S:
                    swept_s = now_s
                    world.listener.sweep(now_s)
                    for pool in list(self._preparer.pools.values()):
                        pool.sweep(now_s)
                if now_s - measured_s >= MEASURE_EVERY_S:
                    measured_s = now_s
                    world.journal.measure()
                    self._preparer.binder.sweep(Moment(now_s, clock.wall_s()))
                    world.pressure.memory(memory_share(resident_bytes()))
                self._prober.sweep(now_s)
            except Exception:  # deadlines must outlive whatever goes wrong with one of them
                log.exception("a sweep failed")

    def _on_signal(self) -> None:
        self._signals += 1
        self._stopping.set()
        if self._signals > 1:
            self._hurry.set()

    def _watch_parent(self) -> None:
        """Stops when the supervisor is gone, whichever way it went."""
        descriptor = self._options.parent_fd
        if descriptor is None:
            return
        os.set_blocking(descriptor, False)

        def look() -> None:
            with contextlib.suppress(BlockingIOError):
                if not os.read(descriptor, 1):
                    asyncio.get_running_loop().remove_reader(descriptor)
                    self._on_signal()

        asyncio.get_running_loop().add_reader(descriptor, look)

    async def _drain(self) -> None:
        """Lets open requests end, within the plan's time or until a second signal."""
        world = self._world
        world.listener.stop_accepting()
        await self._prober.stop()
        await self._shadows.stop()
        await self._world.cache.stop()
        drain_s = world.plan.plan.drain_s if world.plan else 0.0
        until_s = clock.monotonic_s() + drain_s
        log.info("draining %d requests, at most %g s", world.listener.in_work(), drain_s)
        # A batch whose caller has left is to be known by its id all the same.
        while world.batches.beginning or not world.listener.quiet():
            if self._hurry.is_set() or clock.monotonic_s() >= until_s:
                break
            await asyncio.sleep(TICK_S / 2)
        for call in list(world.calls):
            call.cut_short()
        await asyncio.sleep(TICK_S)
        world.listener.abort_all()
        while world.listener.connections or world.calls:  # noqa: ASYNC110 - a few turns
            await asyncio.sleep(0)
