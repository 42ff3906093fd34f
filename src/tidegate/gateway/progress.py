"""What one request has come to so far."""

from collections.abc import Callable

from msgspec import Struct

from tidegate.core.ask import Answer, Ask
from tidegate.core.receipt import Receipt
from tidegate.core.setters import plain_setters
from tidegate.gateway.admit import Admission
from tidegate.gateway.contract import Following
from tidegate.gateway.holding import Held
from tidegate.gateway.http.server import Connection
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.places import Place
from tidegate.gateway.prepared import PreparedRoute
from tidegate.gateway.shared_hold import SharedHold
from tidegate.gateway.stream import Relay


class Late(Struct, eq=False):
    """What a request holds of limits that began while it was served, as its Admission would."""

    held: list[Held] = []
    shared: list[SharedHold] = []


@plain_setters
class Progress(Struct, eq=False):
    """Fills from top to bottom as the stages pass; settle reads what is there.

    `ending` sends the answer's last bytes; every proper end of a request replaces it. `begun`
    says that a stream's head went out while the request was still waiting for its place. `late` is
    there where no limit was as it began, and one is now. `following` is of a whole answer; a
    stream's relay has its own.
    """

    receipt: Receipt
    connection: Connection
    received_s: float
    ending: Callable[[], None]
    ask: Ask | None = None
    route: PreparedRoute | None = None
    admitted: Admission | None = None
    place: Place | None = None
    queued_s: float = 0.0
    begun: bool = False
    call: InFlight | None = None
    relay: Relay | None = None
    answer: Answer | None = None
    following: Following | None = None
    late: Late | None = None
