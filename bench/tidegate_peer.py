"""Starts Tidegate as its user would, with `tidegate up`, and tells its processes apart.

The gateway process is moved to the gateway's core, alone; supervisor, control and the recorder
inside it stay on the other.
"""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from bench import install, machine, procs, steps
from bench.peers import Peer
from bench.rig import Rig, Running, await_answer, fetch

GATEWAY_PORT, CONTROL_PORT, SPARE_PORT = 8100, 8190, 8191
COUNTED_MODEL = "counted-model"
_GATEWAY = "-m tidegate.gateway"
_START_LIMIT_S = 30.0


@contextmanager
def started(
    rig: Rig, plan: Path, env: dict[str, str], core: int | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes], Path]]:
    """`tidegate up` with a state of its own and a key made: the key, the supervisor, the state.
    All of it on one core, where that is given."""
    state = rig.work / "tidegate-state"
    shutil.rmtree(state, ignore_errors=True)
    command = [sys.executable, "-m", "tidegate.boot", "up", "--quiet", "--config", str(plan)]
    command += ["--state", str(state), "--listen", f"127.0.0.1:{GATEWAY_PORT}"]
    command += ["--control-listen", f"127.0.0.1:{CONTROL_PORT}"]
    command = command if core is None else rig.on_core(core, command)
    process = rig.spawn("tidegate", command, env)
    try:
        yield _make_key(state, process), process, state
    finally:
        procs.stop(process, patience_s=20)


@contextmanager
def running(
    rig: Rig, plan: Path = install.HERE / "tidegate.yaml", name: str = "tidegate"
) -> Iterator[Running]:
    """Tidegate with auth, receipts, journal, ledger and metrics on, in a state of its own."""
    since = time.monotonic()
    env = {"BENCH_UPSTREAM_PORT": str(rig.upstream_port)}
    with started(rig, plan, env, rig.load_core) as (key, process, state):
        peer = Peer(name, machine.commit(), GATEWAY_PORT, headers=[f"Authorization: Bearer {key}"])
        start_s = await_answer(peer, process, since)
        gateway = Running(peer, start_s, lambda: groups(process.pid))
        gateway.recorded = lambda: receipts_in(state / "ledger.db")
        procs.pin(gateway.gateway_pids(), rig.gateway_core)
        gateway.extra["rss_tokenised_mb"] = tokenised_memory(rig, gateway)
        gateway.extra["gateway_start_s"] = gateway_start_s(rig, peer, state)
        yield gateway


def groups(supervisor: int) -> dict[str, list[int]]:
    """Process ids by what they are: gateways by their command line, the rest is the recorder's.

    The recorder lives inside control in the default set-up; one of its own would count here too.
    """
    found: dict[str, list[int]] = {"gateway": [], "recorder": [], "supervisor": []}
    for pid in procs.tree(supervisor):
        kind = "gateway" if _GATEWAY in procs.command_line(pid) else "recorder"
        found["supervisor" if pid == supervisor else kind].append(pid)
    return found


def receipts_in(ledger: Path) -> int:
    """Receipts in the ledger now."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=10)) as database:
        count: int = database.execute("SELECT count(*) FROM receipts").fetchone()[0]
        return count


def _make_key(state: Path, process: subprocess.Popen[bytes]) -> str:
    """A key for every route, from control, with the operator's token; waits for control."""
    body = json.dumps({"name": "bench", "team": "bench"}).encode()
    said = "nothing"
    since = time.monotonic()
    while time.monotonic() - since < _START_LIMIT_S:
        if process.poll() is not None:
            raise RuntimeError(f"tidegate exited with {process.returncode}: see its log")
        try:
            token = (state / "operator.token").read_text().strip()
            headers = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
            key: str = json.loads(fetch(CONTROL_PORT, "/api/keys", body, headers))["key"]
            return key
        except OSError as error:
            said = str(error)
        time.sleep(0.05)
    raise RuntimeError(f"control made no key in {_START_LIMIT_S:.0f} s: {said}")


def tokenised_memory(rig: Rig, running: Running) -> dict[str, float]:
    """Memory of each kind of process, in MB, after answers that the gateway had to count."""
    rig.tell_usage(False)
    peer = replace(running.peer)
    rig.load(Running(peer, 0.0, running.groups), "-m", COUNTED_MODEL, "-c", 1, "-N", 2, "-L")
    rig.load(Running(peer, 0.0, running.groups), "-m", COUNTED_MODEL, "-c", 1, "-N", 2, "-L", "-s")
    rig.tell_usage(True)
    procs.settle(running.all_pids())
    return steps.memory_now(running)


def gateway_start_s(rig: Rig, peer: Peer, state: Path) -> float:
    """From starting one more gateway process on this state to its first good answer, seconds."""
    with socket.create_server(("127.0.0.1", SPARE_PORT), backlog=128) as listener:
        fd = listener.fileno()
        os.set_inheritable(fd, True)
        command = [sys.executable, *_GATEWAY.split(), "--state", str(state), "--slot", "63"]
        command = rig.on_core(rig.gateway_core, [*command, "--listen-fd", str(fd)])
        since = time.monotonic()
        process = rig.spawn("tidegate-spare", command, {}, (fd,))
        try:
            return await_answer(replace(peer, port=SPARE_PORT), process, since)
        finally:
            procs.stop(process)
