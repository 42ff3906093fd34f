"""Whether this control leads or stands by.

One that stands by follows what the leader publishes: its machine's gateways are told of plans and
keys as the leader's are, its recorder works. It changes nothing, and takes over when the leader is
gone.
"""

import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.control.feed_log import FeedLog
from tidegate.control.plans import Plans
from tidegate.stores import database
from tidegate.stores.errors import StoreError
from tidegate.stores.leader import Leader

LOOK_S = 0.5

_log = logging.getLogger(__name__)


class Standing:
    """Blocking, from one thread at a time. Without a shared database, control leads."""

    def __init__(self, engine: Engine, node: str, plans: Plans, log: FeedLog) -> None:
        self._is_shared = database.is_shared(engine)
        self._plans = plans
        self._log = log
        self._leader = Leader(engine, node)
        self._said: str | None = None
        self._problem: str | None = None
        self._followed = 0
        self.leads = False

    def begin(self, ending: Callable[[], bool]) -> None:
        """Leads, or stands by with a plan. NoPlan, StoreError."""
        while not self._look():
            if self._plans.has_one or ending():
                self._plans.read_file()
                return
            time.sleep(LOOK_S)

    def look(self) -> None:
        """Asked twice a second: takes over, stands down, follows. Raises nothing."""
        try:
            self._look()
        except Exception as error:  # whatever it is, the next look may find it mended
            problem = str(error)
            if self.leads:
                _log.error("this control leads no longer: %s", problem)
            elif not isinstance(error, StoreError) and problem != self._problem:
                _log.warning("this control cannot follow its leader: %s", problem)
            self.leads = False
            self._said, self._problem = None, problem
        else:
            self._problem = None

    def who_leads(self) -> str | None:
        """None where this control leads; otherwise words for who does."""
        if self.leads:
            return None
        return self._leader.name or "nobody that can be reached"

    def close(self) -> None:
        self._leader.close()

    def _look(self) -> bool:
        leads = self._leader.look()
        if leads and self.leads and not self._overtaken():
            return True
        self._follow()
        if leads:
            self._plans.start(self._log.newest_plan_version())
            if self._is_shared:
                _log.info("this control leads")
        elif self._said != self._leader.name:
            _log.info("this control is stand-by: %s leads", self._leader.name)
        self._said = self._leader.name
        self.leads = leads
        return leads

    def _overtaken(self) -> bool:
        """Whether a control that had led before us, and did not know better, published since."""
        try:
            return self._is_shared and self._log.published_version() > self._plans.highest
        except StoreError:
            return False  # the connection by which we lead has answered a moment ago

    def _follow(self) -> None:
        """A plan may be large: it is read when it is another than the one that was read last."""
        version = self._log.published_version() if self._is_shared else 0
        if version in (0, self._followed):
            return
        published = self._log.shared_plan()
        self._plans.follow(published)
        self._followed = published.version
