"""A real pgbouncer before a PostgreSQL of the tests', on a free port."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.postgres import USER, Server, free_port, unprivileged

_START_S = 30.0
_SBIN = "/usr/sbin"
_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 40
pidfile = {folder}/pid
"""


def program() -> str | None:
    """Where pgbouncer is installed, None where it is not."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")


class Bouncer:
    """May be killed and started again."""

    def __init__(self, server: Server, mode: str) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="tidegate-pgbouncer-"))
        self._user = unprivileged()
        if self._user is not None:
            os.chown(self._folder, self._user, -1)
        self._settings = self._folder / "pgbouncer.ini"
        values = {"server_port": server.port, "user": USER, "port": self.port, "mode": mode}
        self._settings.write_text(_SETTINGS.format(folder=self._folder, **values))
        self._url = server.url("postgres", self.port)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        found = program()
        assert found is not None, "pgbouncer is not installed"
        # A test run that is killed leaves none behind, where the system offers that.
        leash = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*leash, found, str(self._settings)],
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline_s = time.monotonic() + _START_S
        while not self._answers():
            said = (self._folder / "log").read_text()
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline_s, said
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url.reveal(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)


@contextmanager
def bouncing(server: Server, mode: str) -> Iterator[Bouncer]:
    """A pgbouncer that runs until the end of the block."""
    bouncer = Bouncer(server, mode)
    try:
        bouncer.start()
        yield bouncer
    finally:
        bouncer.remove()
