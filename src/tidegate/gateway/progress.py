"""What one request has come to so far."""

from collections.abc import Callable

from tidegate.core.ask import Answer, Ask
from tidegate.core.receipt import Receipt
from tidegate.gateway.http.server import Connection
from tidegate.gateway.in_flight import InFlight
from tidegate.gateway.prepared import PreparedRoute
from tidegate.gateway.stream import Relay


class Progress:
    """Fills from top to bottom as the stages pass; settle reads what is there.

    `ending` sends the answer's last bytes; every proper end of a request replaces it.
    """

    __slots__ = (
        "answer",
        "ask",
        "call",
        "connection",
        "ending",
        "receipt",
        "received_s",
        "relay",
        "route",
    )

    def __init__(self, receipt: Receipt, connection: Connection, received_s: float) -> None:
        self.receipt = receipt
        self.connection = connection
        self.received_s = received_s
        self.ask: Ask | None = None
        self.route: PreparedRoute | None = None
        self.call: InFlight | None = None
        self.relay: Relay | None = None
        self.answer: Answer | None = None
        self.ending: Callable[[], None] = connection.abort
