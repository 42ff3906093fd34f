"""The bench's rig: the mock upstream, one gateway under test, the load, and who burnt which CPU.

The gateway under test (all its processes; of Tidegate the gateway process alone) has one core for
itself. Everything else, Tidegate's control and recorder too, shares the other.
"""

import http.client
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import procs
from bench.peers import Peer

CHAT = "/v1/chat/completions"
FIRST_REQUEST = json.dumps(
    {"model": "mock-model", "messages": [{"role": "user", "content": "hi"}]}
).encode()

Groups = Callable[[], dict[str, list[int]]]


@dataclass
class Running:
    """A gateway that answers. `groups` names its processes now: "gateway" and any others.

    `recorded` counts the receipts in its ledger, where it keeps one.
    """

    peer: Peer
    start_s: float
    groups: Groups
    extra: dict[str, Any] = field(default_factory=dict)
    recorded: Callable[[], int] | None = None

    def gateway_pids(self) -> list[int]:
        return self.groups().get("gateway", [])

    def all_pids(self) -> list[int]:
        return [pid for pids in self.groups().values() for pid in pids]


def fetch(port: int, path: str, body: bytes | None = None, headers: list[str] | None = None) -> str:
    """One request to loopback, past any proxy; -> the body. Raises OSError, also for a 4xx."""
    pairs = dict(line.split(": ", 1) for line in headers or [])
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=pairs)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def await_answer(peer: Peer, process: subprocess.Popen[bytes] | None, since: float) -> float:
    """Ask until the mock's answer comes through; -> seconds since `since` (monotonic)."""
    headers = ["Content-Type: application/json", *peer.headers]
    said = "nothing"
    while time.monotonic() - since < peer.start_limit_s:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{peer.name} exited with {process.returncode}")
        try:
            if "M0CK-OK" in fetch(peer.port, CHAT, FIRST_REQUEST, headers):
                return time.monotonic() - since
        except urllib.error.HTTPError as error:
            said = f"{error} {error.read()[:300]!r}"
        except (OSError, http.client.HTTPException) as error:
            said = str(error)
        time.sleep(0.01)
    raise RuntimeError(f"{peer.name} gave no answer in {peer.start_limit_s:.0f} s: {said}")


class Rig:
    """Cores, folders and the running mock upstream."""

    def __init__(self, work: Path, tools: Path) -> None:
        self.gateway_core = int(os.environ.get("BENCH_GATEWAY_CORE", "1"))
        self.load_core = int(os.environ.get("BENCH_LOAD_CORE", "0"))
        self.work = work
        self.tools = tools
        work.mkdir(parents=True, exist_ok=True)
        self.mock = subprocess.Popen(
            self.on_core(self.load_core, [str(tools / "mock_upstream"), "0"]),
            stdout=subprocess.PIPE,
        )
        assert self.mock.stdout is not None
        self.upstream_port = int(self.mock.stdout.readline())

    def close(self) -> None:
        self.mock.terminate()
        self.mock.wait()

    @staticmethod
    def on_core(core: int, command: list[str]) -> list[str]:
        return ["taskset", "-c", str(core), *command]

    def streams(self, chunks: int, delay_ms: float) -> None:
        """Shape of the streams that start from now on."""
        fetch(self.upstream_port, f"/_ctl?chunks={chunks}&delay={delay_ms}")

    def tell_usage(self, told: bool) -> None:
        """Whether answers carry usage; without it a gateway has to count by itself."""
        fetch(self.upstream_port, f"/_ctl?usage={int(told)}")

    def spawn(
        self, name: str, command: list[str], env: dict[str, str], pass_fds: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a program without this environment's proxies; its output goes to a log in work/.

        Ours keeps its bytecode, as an installer leaves it and as the peers have theirs.
        """
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        clean.pop("PYTHONDONTWRITEBYTECODE", None)
        with (self.work / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                env={**clean, **env},
                cwd=self.work,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=pass_fds,
            )

    @contextmanager
    def running(self, peer: Peer) -> Iterator[Running]:
        """The gateway, started on its core and answering; ended at exit."""
        if peer.command is None:
            yield Running(peer, 0.0, dict)
            return
        since = time.monotonic()
        command = self.on_core(self.gateway_core, peer.command)
        process = self.spawn(peer.name, command, peer.env)
        try:
            start_s = await_answer(peer, process, since)
            yield Running(peer, start_s, lambda: {"gateway": procs.tree(process.pid)})
        finally:
            procs.stop(process)

    def load(self, running: Running, *options: str | float) -> dict[str, Any]:
        """Run the load generator; -> its figures and the CPU, memory and noise meanwhile."""
        peer = running.peer
        command = [str(self.tools / "loadgen"), "-p", str(peer.port)]
        for header in peer.headers:
            command += ["-H", header]
        command += [str(option) for option in options]
        groups = running.groups()
        before = self._cpu(groups)
        cores = [procs.core_times(core) for core in (self.gateway_core, self.load_core)]
        start = time.monotonic()
        with _PeakMemory(groups) as peak:
            said = subprocess.run(
                self.on_core(self.load_core, command), capture_output=True, text=True, check=True
            )
        wall_s = time.monotonic() - start
        figures: dict[str, Any] = json.loads(said.stdout)
        spent = {name: after - before[name] for name, after in self._cpu(groups).items()}
        busy = [
            procs.core_times(core).busy_s - then.busy_s
            for core, then in zip((self.gateway_core, self.load_core), cores, strict=True)
        ]
        ours = figures["cpu_s"] + sum(spent.values()) - spent.get("gateway", 0.0)
        figures |= {
            "wall_s": wall_s,
            "gateway_cpu_s": spent.get("gateway", 0.0),
            "gateway_util": spent.get("gateway", 0.0) / wall_s,
            "load_util": (figures["cpu_s"] + spent["mock"]) / wall_s,
            "foreign_gateway_core": max(0.0, busy[0] - spent.get("gateway", 0.0)) / wall_s,
            "foreign_load_core": max(0.0, busy[1] - ours) / wall_s,
            "rss_peak_mb": peak.mb,
            "others_cpu_s": {k: v for k, v in spent.items() if k not in ("gateway", "mock")},
        }
        return figures

    def _cpu(self, groups: dict[str, list[int]]) -> dict[str, float]:
        named = {name: procs.cpu_s(pids) for name, pids in groups.items()}
        return {**named, "mock": procs.cpu_s([self.mock.pid])}


class _PeakMemory:
    """Highest resident memory of each group, sampled every 0.2 s."""

    def __init__(self, groups: dict[str, list[int]]) -> None:
        self.mb = dict.fromkeys(groups, 0.0)
        self._groups = groups
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        while not self._end.wait(0.2):
            for name, pids in self._groups.items():
                self.mb[name] = max(self.mb[name], procs.rss_mb(pids))

    def __enter__(self) -> "_PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
