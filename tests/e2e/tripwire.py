"""A gateway under watch: `tripwire.py` takes the gateway's options and writes down what no request
may ever make it do.

TRIPWIRE names the file of the records, TRIPWIRE_PEERS (host:port, by commas) the addresses that
the gateway may connect to, TRIPWIRE_LOOP the event loop: `uvloop`, which connects without the
interpreter seeing it, or `asyncio`, where each connection is seen.
"""

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import uvloop

from tidegate.gateway import process, watchdog

# New programs, new code, other processes, new listeners: nothing that serving ever needs.
FORBIDDEN = frozenset(
    (
        *("code.__new__", "compile", "exec", "marshal.loads", "pickle.find_class", "ctypes.dlopen"),
        *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"),
        *("os.kill", "pty.spawn", "subprocess.Popen", "socket.bind", "sys.settrace"),
    )
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = frozenset(
    ("os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.symlink", "os.truncate")
)
# On a busy machine the default takes a process that waits for the processor for one that is stuck.
STALL_S = 1.0


class Tripwire:
    """Judges audit events; what it objects to goes to `record`, one line each."""

    def __init__(self, state: Path, peers: Iterable[str], record: int) -> None:
        self._state = str(state.resolve())
        self._peers = frozenset(peers)
        self._record = record
        self.armed = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.armed and self.objects(event, args):
            os.write(self._record, f"{event} {args!r:.300}\n".encode())

    def arm(self) -> None:
        """From now on; the record begins with a line that says so."""
        self.armed = True
        os.write(self._record, b"armed\n")

    def objects(self, event: str, args: tuple[Any, ...]) -> bool:
        """Whether a gateway that serves must not do this."""
        if event in FORBIDDEN:
            return True
        if event == "open":
            return bool(int(args[2] or 0) & _WRITES) and self._outside(args[0])
        if event in _CHANGES:
            return self._outside(args[0])
        if event == "sqlite3.connect":
            return self._outside(str(args[0]).removeprefix("file:").partition("?")[0])
        if event == "socket.connect":
            return self._is_stranger(args[1])
        return False

    def _outside(self, path: Any) -> bool:
        if isinstance(path, int):
            return False  # a descriptor that is open already
        real = os.path.realpath(os.fsdecode(path))
        return real != self._state and not real.startswith(self._state + os.sep)

    def _is_stranger(self, address: Any) -> bool:
        if isinstance(address, tuple):
            return f"{address[0]}:{address[1]}" not in self._peers
        return self._outside(address)


def main() -> int:
    state = Path(sys.argv[sys.argv.index("--state") + 1])
    record = os.open(os.environ["TRIPWIRE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    tripwire = Tripwire(state, os.environ["TRIPWIRE_PEERS"].split(","), record)
    sys.addaudithook(tripwire)
    watchdog.STALL_S = STALL_S
    if os.environ["TRIPWIRE_LOOP"] == "asyncio":
        uvloop.run = asyncio.run
    starts = watchdog.Watchdog.start

    def start_and_arm(self: watchdog.Watchdog) -> None:
        starts(self)  # the last step of a gateway's start
        tripwire.arm()

    watchdog.Watchdog.start = start_and_arm  # type: ignore[method-assign]
    return process.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
