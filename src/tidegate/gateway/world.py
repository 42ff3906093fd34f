"""Everything that the requests of one gateway process share; passed, never imported."""

from typing import Protocol

from tidegate.core.clock import IdSource
from tidegate.core.feedback import Feedback
from tidegate.core.ladder import Handover, RungReason
from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds
from tidegate.core.receipt import Receipt
from tidegate.gateway.admit import Past
from tidegate.gateway.answer_cache import AnswerCache
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.gateway.captures import Captures
from tidegate.gateway.entry import Entry, dialects
from tidegate.gateway.http.listener import Listener
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.journal import Journal
from tidegate.gateway.keep_alive import keep_alive
from tidegate.gateway.keys import Keys
from tidegate.gateway.levers import Levers
from tidegate.gateway.pick import Queues
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.pressure import Pressure
from tidegate.gateway.progress import Progress
from tidegate.gateway.stream import Relay
from tidegate.stores.shared import name_everywhere


class Follows(Protocol):
    """What copies requests for releases that nobody gets yet."""

    def follow(self, incoming: Incoming, entry: Entry, receipt: Receipt) -> None: ...


class HandsOver(Protocol):
    """What tells people that one of them is wanted."""

    async def take(self, progress: Progress, to: Handover, rung: str, why: RungReason) -> bool:
        """Whether they will be told, whatever becomes of this process."""


class Hears(Protocol):
    """What takes feedback. `keep` blocks and says whether it was written."""

    def admit(self, key_id: str, now_s: float) -> None: ...

    def keep(self, said: list[Feedback], now_s: float) -> bool: ...

    def clean(self, text: str) -> str: ...


class World:
    """One gateway process. `plan` is swapped whole; a request reads it once.

    `slot` is its name on this machine, `gateway` among those of all that share a database.
    """

    def __init__(self, slot: str, keys: Keys, journal: Journal, node: str = "") -> None:
        self.slot = slot
        self.gateway = name_everywhere(node, slot)
        self.keys = keys
        self.journal = journal
        self.ids = IdSource()
        self.plan: PreparedPlan | None = None
        self.calls: dict[InFlight, Progress] = {}
        self.waiting: set[Progress] = set()  # in line for their target
        self.pausing: set[Progress] = set()  # before another attempt
        self.relays: set[Relay] = set()
        self.queues = Queues()
        self.pressure = Pressure()
        self.levers = Levers()
        self.past: Past | None = None
        self.max_response_bytes = HttpBounds().max_response_bytes
        self.dialects = dialects()
        self.cache = AnswerCache()
        self.shadows: Follows | None = None
        self.captures: Captures | None = None
        self.hearing: Hears | None = None
        self.handovers: HandsOver | None = None
        self.batches = BatchDesk()
        self.listener: Listener

    def obeyed(self) -> PreparedPlan:
        """The plan of now. Refusal when none has come yet."""
        if self.plan is None:
            raise Refusal("no_plan", "the gateway has no plan yet", retry_after_s=1.0)
        return self.plan

    def served(self) -> list[Progress]:
        """Callers' requests that are past admission, in line or in flight."""
        every = (*self.waiting, *self.calls.values())
        return [it for it in every if not it.receipt.is_own]

    def _silent(self) -> list[Progress]:
        """Those of which a client could hear nothing now: before another attempt, or in front of a
        provider that has not begun to answer."""
        calls = [it for it in self.calls.values() if it.relay is None and it.head is not None]
        return [*self.pausing, *calls]

    def check_journal(self) -> None:
        """Refusal when receipts cannot be written: nothing is served that is not recorded."""
        if self.journal.full:
            raise Refusal(
                "ledger_unavailable", "the gateway cannot record requests now", retry_after_s=5.0
            )

    def sweep(self, now_s: float) -> None:
        """Checks every deadline of this process. Called ten times a second."""
        for call in list(self.calls):
            call.sweep(now_s)
        if self.plan is not None:
            every_s = self.plan.plan.http.keepalive_comment_s
            for progress in self._silent():
                keep_alive(progress, now_s, every_s)
            for relay in list(self.relays):
                relay.keep_alive(now_s, every_s)
            self.queues.sweep(now_s, every_s, self.pressure)
        self.journal.sweep(now_s)
