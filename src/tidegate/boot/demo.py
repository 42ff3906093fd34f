"""`tidegate up` without a plan file: a model on this machine, and the plan in front of it."""

import socket
from functools import partial
from pathlib import Path

from msgspec import Struct

from tidegate.boot import local_model
from tidegate.boot.child import ChildSpec
from tidegate.boot.module import module_argv
from tidegate.core.layout import Layout

_USUAL_PORT = 4002
_LOOPBACK = "127.0.0.1"


class Demo(Struct, frozen=True):
    """The engine to start, the plan to serve, and one line that says which model it is."""

    engine: ChildSpec
    plan: Path
    note: str


def prepare(layout: Layout) -> Demo:
    """Write the plan into the state directory, for the best engine that this machine has."""
    port = _free_port()
    missing = local_model.available()
    log = layout.log / "engine.log"
    plan = layout.state / "demo.yaml"
    if missing is None:
        plan.write_text(local_model.demo_plan(port, "local"), "utf-8")
        engine = ChildSpec("engine", partial(local_model.command, port), log=log)
        return Demo(engine, plan, f"Model: SmolLM2-135M on this machine (log: {log})")
    plan.write_text(local_model.demo_plan(port, "sim"), "utf-8")
    serve = ("serve", "--listen", f"{_LOOPBACK}:{port}")
    engine = ChildSpec("engine", partial(module_argv, "tidegate.sim", serve), log=log)
    return Demo(engine, plan, f"Model: simulated text, since there is {missing}")


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
