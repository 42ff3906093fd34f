"""The control process: publishes the plan, then serves until it is told to end."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from functools import partial
from typing import NamedTuple

from sqlalchemy import Engine

from tidegate.control import (
    budget_metrics,
    looping,
    notice_metrics,
    plan_metrics,
    prompting,
)
from tidegate.control.alerting import Alerting
from tidegate.control.beginning import Beginning
from tidegate.control.budget_figures import BudgetFigures
from tidegate.control.certifying import Certifying
from tidegate.control.compiling import Compiling
from tidegate.control.desk import Desk
from tidegate.control.feed_log import FeedLog
from tidegate.control.feed_server import FeedServer
from tidegate.control.leads import Leads
from tidegate.control.loop_notices import LoopNotices
from tidegate.control.notifying import Notifying
from tidegate.control.online import Given, NoOnline, Online
from tidegate.control.operators import Operators
from tidegate.control.options import Settings
from tidegate.control.patience import PatienceOf
from tidegate.control.perimeter import Names, Perimeter
from tidegate.control.plans import Plans, Reload
from tidegate.control.recording import NoRecording, Recording
from tidegate.control.retiring import Retiring
from tidegate.control.routes import Gate, build
from tidegate.control.rows import ROWS
from tidegate.control.serving import Server
from tidegate.control.standing import LOOK_S, Standing
from tidegate.control.upkeep import Upkeep
from tidegate.control.whole_file import write_whole
from tidegate.core.address import Listen
from tidegate.core.declared_control import DeclaredWebhook
from tidegate.core.declared_notifications import DeclaredNotifications
from tidegate.core.declared_prompts import OfFingerprints
from tidegate.core.feed import PlanPublished
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan
from tidegate.stores import database, fleet
from tidegate.stores.errors import StoreError
from tidegate.stores.peppers import read_peppers
from tidegate.stores.shared import node_name

_TOLD_A_LOOK = 4

_log = logging.getLogger(__name__)


class Beside(NamedTuple):
    """What works inside control's process beside it."""

    recording: Recording = NoRecording()
    online: Online = NoOnline()


class Process:
    """Puts the parts together and takes them apart again."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        engine: Engine,
        feed_engine: Engine,
        beside: Beside,
    ) -> None:
        layout = settings.layout
        recording, online = beside
        self._settings, self._engine = settings, engine
        self._recording, self._online = recording, online
        self._listener = listener
        self._host = str(listener.getsockname()[0])
        peppers = read_peppers(layout.state)
        told = self._of_fingerprints
        self._certifying = Certifying(engine, tuple(peppers.values()), self._plan_or_none, told)
        read = prompting.reading(engine)
        self._compiling = Compiling(engine, os.environ, read, self._certifying)
        self._node = node_name(layout.node) if database.is_shared(engine) else ""
        self._log = FeedLog(engine, self._current_plan, feed_engine)
        self._plans = Plans(
            layout, settings.plan_file, self._compiling.file, self._announce, self._log.claim_plan
        )
        self._standing = Standing(engine, self._node, self._plans, self._log)
        self._telling = fleet.Telling(feed_engine, self._node)
        behind = partial(fleet.behind, feed_engine, self._node)
        self._figures = BudgetFigures()
        self._feed = FeedServer(layout, self._log, recording.observe_status, behind)

        def leads() -> bool:
            return self._standing.leads

        self._loop = looping.build(
            engine, self._plans, self._compiling, self._feed, (self._node, leads)
        )
        self._loop_notices = LoopNotices(engine, lambda: self._loop.status, leads)
        self._retiring = Retiring(engine, lambda: self._plans.current, leads)
        self._beginning = Beginning(engine, lambda: self._plans.current, leads)
        self._prompting = prompting.Prompting(
            engine, self._plans, self._compiling, self._certifying, leads
        )
        self._upkeep = Upkeep(engine, self._plans, self._compiling, self._log, leads)
        self._desk = Desk(
            layout=layout,
            engine=engine,
            plans=self._plans,
            compiling=self._compiling,
            feed=self._feed,
            peppers=peppers,
            certifying=self._certifying,
            figures=self._figures,
            loop=self._loop,
            who_leads=self._standing.who_leads,
            render_metrics=lambda: (
                recording.render()
                + online.render()
                + plan_metrics.render(self._plans)
                + budget_metrics.render(self._alerting.ratios)
                + notice_metrics.render(self._notifying.tries)
                + looping.render(self._loop)
                + prompting.render(self._compiling.prompts)
            ),
        )
        self._alerting = Alerting(
            engine, lambda: self._plans.current, self._webhook, os.environ, self._figures
        )
        self._notifying = Notifying(engine, self._notifications, os.environ, leads)
        self._server, self._ending = Server(self._app()), False
        self._background: set[asyncio.Task[Reload]] = set()

    def _plan_or_none(self) -> Plan | None:
        return self._plans.current if self._plans.has_one else None

    def _of_fingerprints(self) -> OfFingerprints:
        declared = self._plans.declared.prompts
        return "void" if declared is None else declared.fingerprints

    async def run(self) -> int:
        """Serve until stopped. NoPlan when there is nothing that gateways could obey."""
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._standing.begin, lambda: self._ending)
        await self._feed.start()
        names = self._plans.declared.control.litellm_metric_names
        self._recording.judge_by(PatienceOf(lambda: self._plans.declared))
        self._recording.fold_every(lambda: self._plans.declared.control.loop.tick_s)
        self._recording.start(
            self._settings.layout,
            self._engine,
            self._tell_recorded,
            litellm_names=names,
            session_alert_tokens=lambda: self._plans.current.session_alert_tokens,
        )
        self._recording.read_engines(
            self._engine, lambda: self._plans.current if self._standing.leads else None
        )
        self._online.start(self._given())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._watch_parent(loop)
        _write_url(self._settings.layout, self._listener)
        tasks = [
            loop.create_task(self._plans.watch(lambda: self._standing.leads)),
            loop.create_task(self._stand()),
            loop.create_task(self._upkeep.clear_out()),
            loop.create_task(self._alerting.watch()),
            loop.create_task(self._notifying.watch()),
            loop.create_task(self._upkeep.keep_up()),
            loop.create_task(self._prompting.watch()),
            loop.create_task(self._prompting.watch_pairs()),
            loop.create_task(self._beginning.watch()),
            loop.create_task(self._loop_notices.watch()),
            loop.create_task(self._retiring.watch()),
            loop.create_task(self._loop.run()),
        ]
        gc.collect()
        gc.freeze()
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self._online.stop)
            await asyncio.to_thread(self._recording.stop)
            await self._feed.stop()
            await asyncio.to_thread(self._standing.close)
            self._compiling.prompts.close()
        return 0

    def _given(self) -> Given:
        return Given(
            layout=self._settings.layout,
            engine=self._engine,
            declared=lambda: self._plans.declared,
            leads=lambda: self._standing.leads,
            digest=self._desk.digest,
            prompts=self._compiling.prompts,
            plan_folder=self._plans.file.parent,
        )

    def _app(self) -> Perimeter:
        leads = Leads(self._engine, lambda: self._desk.peppers)
        gate = Gate(Operators(self._settings.layout), leads, self._host)
        return Perimeter(build(self._desk, gate, ROWS), self._host, self._names)

    def _names(self) -> Names:
        declared = self._plans.declared.control
        return Names(declared.allowed_hosts, declared.allowed_origins)

    def _current_plan(self) -> PlanPublished:
        shared = database.is_shared(self._engine)
        return self._log.shared_plan() if shared else self._plans.published()

    def _announce(self, version: int) -> None:
        self._log.announce_plan(version, self._plans.publication)
        self._feed.wake()

    def _reload(self) -> None:
        if not self._standing.leads:
            _log.warning(
                "this control stands by and reads no plan: %s leads", self._desk.who_leads()
            )
            return
        task = asyncio.get_running_loop().create_task(self._plans.reload("signal"))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _tell_recorded(self, gateway: str, segment: int, offset: int) -> None:
        if self._plans.current.journal.durability == "store":
            self._feed.recorded(gateway, segment, offset)

    async def _stand(self) -> None:
        """Where a database is shared: lead or follow, and tell what our gateways obey."""
        while database.is_shared(self._engine):
            await asyncio.to_thread(self._standing.look)
            for _ in range(_TOLD_A_LOOK):
                with contextlib.suppress(StoreError):  # whoever leads finds ours quiet
                    obeying = self._feed.obeying()
                    await asyncio.to_thread(self._telling.tell, obeying)
                await asyncio.sleep(LOOK_S / _TOLD_A_LOOK)

    def _webhook(self) -> DeclaredWebhook | None:
        return self._plans.declared.control.alerts.webhook

    def _notifications(self) -> DeclaredNotifications | None:
        """None while the plan file could not be read since the start: a plan has a route."""
        declared = self._plans.declared
        return declared.control.notifications if declared.routes else None

    def _end(self) -> None:
        self._ending = True
        self._desk.ending = True
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True

    def _watch_parent(self, loop: asyncio.AbstractEventLoop) -> None:
        """End when the supervisor is gone, whichever way it went."""
        fd = self._settings.parent_fd
        if fd is None:
            return

        def look() -> None:
            if not os.read(fd, 1):
                loop.remove_reader(fd)
                self._end()

        os.set_blocking(fd, False)
        loop.add_reader(fd, look)


def _write_url(layout: Layout, listener: socket.socket) -> None:
    """Where commands on this machine find control."""
    host, port = listener.getsockname()[:2]
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    write_whole(layout.run / "control.url", f"http://{Listen(local, port)}\n".encode())
