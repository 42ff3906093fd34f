"""What one request has come to so far."""

from collections.abc import Callable

from msgspec import Struct

from tidegate.core.ask import Answer, Ask
from tidegate.core.conversation import Conversation
from tidegate.core.outcome import Refusal
from tidegate.core.plugs import Dialect
from tidegate.core.receipt import Receipt
from tidegate.core.setters import plain_setters
from tidegate.gateway.admit import Admission
from tidegate.gateway.batch import Batch
from tidegate.gateway.caching import Caching
from tidegate.gateway.capturing import Capturing
from tidegate.gateway.climbing import Climbing
from tidegate.gateway.contract import Following
from tidegate.gateway.earlier import Earlier
from tidegate.gateway.guarding import Guarding
from tidegate.gateway.holding import Held
from tidegate.gateway.http.answering import Answering
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.places import Place
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.prepared_target import PreparedReplica, PreparedTarget
from tidegate.gateway.shared_hold import SharedHold
from tidegate.gateway.stream import Relay


class Late(Struct, eq=False):
    """What a request holds of limits that began while it was served, as its Admission would."""

    held: list[Held] = []
    shared: list[SharedHold] = []


class Given(Struct, frozen=True):
    """A kept answer that an address is to be asked about first: its head, if that is not out yet,
    and its body."""

    head: bytes | None
    body: bytes


@plain_setters
class Progress(Struct, eq=False):
    """Fills from top to bottom as the stages pass; settle reads what is there.

    `ending` sends the answer's last bytes; every proper end of a request replaces it. `dialect` is
    the caller's where it is not OpenAI's own; `said` is the request in the common middle, once a
    target of another wire has been asked. `begun` says that a stream's head went out before its
    answer; `head` makes it, and its client last heard of it at `quiet_since_s` (0: never).
    `until_s` is when the caller waits no longer (monotonic). Where it is `impatient` that is when a
    ladder is tired of waiting, of a stream for its first token, and the caller waits until
    `whole_until_s`. `keeper` is there where only that
    replica can serve the request. What is below `admitted` is of the attempt that goes on; `tries`
    says that it tries a breaker that was open, `owed` how many of it were taken from the retry
    budget and are not answered yet, `following` is of a whole answer (a stream's relay has its
    own). `late` is there where no limit was as it began, and one is now; `capturing` where the
    request is kept with what is said; `caching` where its route keeps answers, `batch` where it
    keeps the vectors that are asked for, and `cache_only` why it may have no other. `climb` is
    there where its route has a ladder, `guarding` where guardrails look through it, `given` where
    some have yet to look at a kept answer.
    """

    receipt: Receipt
    connection: Answering
    received_s: float
    ending: Callable[[], None]
    dialect: Dialect | None = None
    ask: Ask | None = None
    said: Conversation | None = None
    route: PreparedRoute | None = None
    keeper: tuple[PreparedTarget, PreparedReplica] | None = None
    until_s: float | None = None
    impatient: bool = False
    whole_until_s: float | None = None
    queued_s: float = 0.0
    begun: bool = False
    head: "Callable[[Progress, Ask], bytes] | None" = None
    quiet_since_s: float = 0.0
    earlier: Earlier | None = None
    admitted: Admission | None = None
    target: PreparedTarget | None = None
    replica: PreparedReplica | None = None
    tries: bool = False
    owed: int = 0
    place: Place | None = None
    call: InFlight | None = None
    relay: Relay | None = None
    answer: Answer | None = None
    following: Following | None = None
    late: Late | None = None
    capturing: Capturing | None = None
    caching: Caching | None = None
    batch: Batch | None = None
    cache_only: Refusal | None = None
    climb: Climbing | None = None
    guarding: Guarding | None = None
    given: Given | None = None

    @property
    def answer_until_s(self) -> float | None:
        """Until when an answer is waited for that has begun."""
        return self.whole_until_s if self.impatient and self.receipt.stream else self.until_s

    @property
    def caller_until_s(self) -> float | None:
        """When its caller waits no longer, whatever its ladder does."""
        return self.whole_until_s if self.impatient else self.until_s

    def wait_as_its_caller(self) -> None:
        """No ladder is tired of waiting any more."""
        if self.impatient:
            self.until_s, self.impatient = self.whole_until_s, False
