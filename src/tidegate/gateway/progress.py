"""What one request has come to so far."""

from collections.abc import Callable

from msgspec import Struct

from tidegate.core.ask import Answer, Ask
from tidegate.core.conversation import Conversation
from tidegate.core.plugs import Dialect
from tidegate.core.receipt import Receipt
from tidegate.core.setters import plain_setters
from tidegate.gateway.admit import Admission
from tidegate.gateway.holding import Held
from tidegate.gateway.http.server import Connection
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.places import Place
from tidegate.gateway.prepared import PreparedReplica, PreparedRoute
from tidegate.gateway.stream import Relay


@plain_setters
class Progress(Struct, eq=False):
    """Fills from top to bottom as the stages pass; settle reads what is there.

    `ending` sends the answer's last bytes; every proper end of a request replaces it. `dialect` is
    the caller's where it is not OpenAI's own; `said` is the request where its target speaks another
    wire than its caller. `begun`
    says that a stream's head went out while the request was still waiting for its place.
    `replica` is there where only it can serve the request.
    `held_late` is what it holds where no limit was there as it began.
    """

    receipt: Receipt
    connection: Connection
    received_s: float
    ending: Callable[[], None]
    dialect: Dialect | None = None
    ask: Ask | None = None
    said: Conversation | None = None
    route: PreparedRoute | None = None
    admitted: Admission | None = None
    replica: PreparedReplica | None = None
    place: Place | None = None
    queued_s: float = 0.0
    begun: bool = False
    call: InFlight | None = None
    relay: Relay | None = None
    answer: Answer | None = None
    held_late: list[Held] | None = None
