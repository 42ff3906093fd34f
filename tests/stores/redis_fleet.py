"""Several gateways, each a process of its own, on one server."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

GATEWAY = "tests.stores.redis_gateway"
REPOSITORY = Path(__file__).resolve().parents[2]


class Fleet:
    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def do(self, verb: str, *values: Any) -> list[dict[str, Any]]:
        """All at once; -> what each answers. A value that is a list has one for each."""
        for n, process in enumerate(self._processes):
            self._say(process, verb, [v[n] if isinstance(v, list) else v for v in values])
        return [msgspec.json.decode(self._line(process)) for process in self._processes]

    def one(self, number: int, verb: str, *values: Any) -> dict[str, Any]:
        """What that one answers."""
        process = self._processes[number]
        self._say(process, verb, list(values))
        answer: dict[str, Any] = msgspec.json.decode(self._line(process))
        return answer

    def signal(self, number: int, what: signal.Signals) -> None:
        self._processes[number].send_signal(what)

    def wait(self) -> None:
        for process in self._processes:
            assert self._line(process) == "ready\n"

    @staticmethod
    def _say(process: subprocess.Popen[str], verb: str, values: list[Any]) -> None:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode([verb, *values]).decode() + "\n")
        process.stdin.flush()

    @staticmethod
    def _line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "a gateway has ended"
        return line


@contextlib.contextmanager
def fleet(socket: Path, size: int, mode: str, deadline_s: float = 5.0) -> Iterator[Fleet]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", GATEWAY, str(socket), f"g{n}", mode, str(deadline_s)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(size)
    ]
    try:
        gateways = Fleet(processes)
        gateways.wait()
        yield gateways
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                cast(Any, pipe).close()
