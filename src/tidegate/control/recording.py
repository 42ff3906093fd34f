"""What control needs of a recorder, so that either can run without the other.

The two are rooms of one layer: whoever starts the process puts them together.
"""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Engine

from tidegate.core.feed import Status
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan

# Gateway, segment, offset: everything of its journal up to there is in the ledger.
TellRecorded = Callable[[str, int, int], None]


class Recording(Protocol):
    """A recorder inside control's process. `start` comes once."""

    def start(
        self,
        layout: Layout,
        engine: Engine,
        tell: TellRecorded,
        *,
        litellm_names: bool,
        session_alert_tokens: Callable[[], int],
    ) -> None: ...

    def fold_every(self, every_s: Callable[[], float]) -> None:
        """From the start on store what receipts fold into, releases' blocks too, every so many
        seconds; comes before it."""

    def read_engines(self, engine: Engine, plan: Callable[[], Plan | None]) -> None:
        """From now on read the engines of the plan; None: another control reads them."""

    def observe_status(self, gateway: str, status: Status) -> None: ...

    def render(self) -> bytes:
        """Its series in Prometheus' text form."""

    def stop(self) -> None:
        """Take in what the journals hold and end. Blocking."""


class NoRecording:
    """Where the recorder is a process of its own, which shows its own series."""

    def start(
        self,
        layout: Layout,
        engine: Engine,
        tell: TellRecorded,
        *,
        litellm_names: bool,
        session_alert_tokens: Callable[[], int],
    ) -> None:
        pass

    def fold_every(self, every_s: Callable[[], float]) -> None:
        pass

    def read_engines(self, engine: Engine, plan: Callable[[], Plan | None]) -> None:
        pass

    def observe_status(self, gateway: str, status: Status) -> None:
        pass

    def render(self) -> bytes:
        return b""

    def stop(self) -> None:
        pass
