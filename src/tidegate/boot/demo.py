"""`tidegate up` without a plan file: a model on this machine, and the plan in front of it."""

import socket
import time
from functools import partial
from pathlib import Path

import httpx2
from msgspec import Struct

from tidegate.boot import local_model
from tidegate.boot.child import ChildSpec
from tidegate.boot.module import module_argv
from tidegate.core import clock
from tidegate.core.layout import Layout

_USUAL_PORT = 4002
_LOOPBACK = "127.0.0.1"
_PATIENCE_S = 60.0
_LOOK_S = 0.1


class Demo(Struct, frozen=True):
    """The engine to start, the plan to serve, and one line that says which model it is."""

    engine: ChildSpec
    plan: Path
    note: str
    port: int

    def wait_until_loaded(self) -> None:
        """Blocks until the model answers, or for as long as anybody would wait for it."""
        until_s = clock.monotonic_s() + _PATIENCE_S
        while clock.monotonic_s() < until_s:
            try:
                if httpx2.get(f"http://{_LOOPBACK}:{self.port}/health").status_code == 200:
                    return
            except httpx2.HTTPError:
                pass  # it has not begun to listen
            time.sleep(_LOOK_S)


def prepare(layout: Layout) -> Demo:
    """Write the plan into the state directory, for the best engine that this machine has."""
    port = _free_port()
    missing = local_model.available()
    log = layout.log / "engine.log"
    plan = layout.state / "demo.yaml"
    if missing is None:
        plan.write_text(local_model.demo_plan(port, "local"), "utf-8")
        engine = ChildSpec("engine", partial(local_model.command, port), log=log)
        return Demo(engine, plan, f"Model: SmolLM2-135M on this machine (log: {log})", port)
    plan.write_text(local_model.demo_plan(port, "sim"), "utf-8")
    serve = ("serve", "--listen", f"{_LOOPBACK}:{port}")
    engine = ChildSpec("engine", partial(module_argv, "tidegate.sim", serve), log=log)
    return Demo(engine, plan, f"Model: simulated text, since there is {missing}", port)


def _free_port() -> int:
    """The usual port, so that the plan stays the same over restarts; otherwise any free one."""
    for port in (_USUAL_PORT, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((_LOOPBACK, port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    return _USUAL_PORT
