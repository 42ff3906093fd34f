"""What the simulated engine answers about itself: models, health, metrics, faults, log."""

from collections.abc import Callable
from typing import Final

import msgspec

from tidegate.core import clock
from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection
from tidegate.sim import metrics
from tidegate.sim.asked import Problem
from tidegate.sim.options import Options
from tidegate.sim.pump import Pump
from tidegate.sim.record import Log
from tidegate.sim.script import Script, read_cues

MAX_SCRIPT_BYTES: Final = 1024 * 1024


class Desk:
    """Answers that take no engine time. `answer` says whether the request was one of them."""

    def __init__(self, options: Options, pump: Pump, script: Script, log: Log) -> None:
        self._options = options
        self._pump = pump
        self._script = script
        self._log = log
        self._started_at_s = clock.wall_s()
        self._ways: dict[tuple[bytes, bytes], Callable[[Incoming, Connection], None]] = {
            (b"GET", b"/v1/models"): self._models,
            (b"GET", b"/health"): self._health,
            (b"GET", b"/metrics"): self._metrics,
            (b"GET", b"/_sim/faults"): self._show_faults,
            (b"POST", b"/_sim/faults"): self._set_faults,
            (b"DELETE", b"/_sim/faults"): self._clear_faults,
            (b"GET", b"/_sim/log"): self._show_log,
            (b"DELETE", b"/_sim/log"): self._clear_log,
        }
        self._paths = frozenset(path for _, path in self._ways)

    def answer(self, incoming: Incoming, connection: Connection) -> bool:
        """Answers what belongs to the desk. Problem, ScriptError."""
        way = self._ways.get((incoming.head.method, incoming.head.path))
        if way is None:
            if incoming.head.path in self._paths:
                raise Problem(405, "Method Not Allowed")
            return False
        way(incoming, connection)
        return True

    def _models(self, incoming: Incoming, connection: Connection) -> None:
        rows = [
            {
                "id": name,
                "object": "model",
                "created": int(self._started_at_s),
                "owned_by": "tidegate-sim",
                "max_model_len": self._options.profile.max_model_len,
            }
            for name in self._options.models
        ]
        _json(connection, {"object": "list", "data": rows})

    def _health(self, incoming: Incoming, connection: Connection) -> None:
        connection.send(answers.text_head(200), b"")

    def _metrics(self, incoming: Incoming, connection: Connection) -> None:
        self._pump.settle()
        page = metrics.render(self._pump.engine, self._options.models[0])
        connection.send(answers.status_line(200) + metrics.CONTENT_TYPE, page)

    def _show_faults(self, incoming: Incoming, connection: Connection) -> None:
        _json(connection, {"faults": self._script.cues, "fired": self._script.fired})

    def _set_faults(self, incoming: Incoming, connection: Connection) -> None:
        body = incoming.body
        if len(body) > MAX_SCRIPT_BYTES:
            raise Problem(413, f"a script is at most {MAX_SCRIPT_BYTES} bytes")
        try:
            loose = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Problem(400, f"the script is not JSON: {error}") from None
        self._script.replace(read_cues(loose))
        self._show_faults(incoming, connection)

    def _clear_faults(self, incoming: Incoming, connection: Connection) -> None:
        self._script.replace(())
        self._show_faults(incoming, connection)

    def _show_log(self, incoming: Incoming, connection: Connection) -> None:
        _json(
            connection,
            {
                "now_s": clock.monotonic_s(),
                "fired": self._script.fired,
                "requests": list(self._log),
            },
        )

    def _clear_log(self, incoming: Incoming, connection: Connection) -> None:
        self._log.clear()
        self._show_log(incoming, connection)


def _json(connection: Connection, value: object) -> None:
    connection.send(answers.JSON_HEAD, msgspec.json.encode(value))
