"""What must hold before any process starts: the state directory, one supervisor, the sockets.

Every failure is one line that says which setting to change.
"""

import errno
import fcntl
import os
import resource
import socket
from pathlib import Path
from typing import IO

from tidegate.core.address import Listen, parse_listen
from tidegate.core.layout import Layout

BACKLOG = 4096
_MOST_DESCRIPTORS = 1 << 20


class CannotStart(Exception):
    """Tidegate cannot start. The message is one line for the person who started it."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def local_url(listen: Listen, scheme: str) -> str:
    """How a client on this machine reaches a listener."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104
    return f"{scheme}://{Listen(host, listen.port)}"


def parse_option(text: str, option: str) -> Listen:
    """The address in an option. CannotStart when it is none."""
    try:
        return parse_listen(text)
    except ValueError as error:
        raise CannotStart(f"{option} {text}: {error}") from error


def bind(address: Listen, setting: str) -> socket.socket:
    """A listening socket. It outlives the processes that accept from it, so that while one of
    them restarts its callers wait in the backlog and are not refused."""
    where = str(address)
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotStart(f"{setting} {where}: {error.strerror or error}") from error
    family, kind, protocol, _, target = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(target)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotStart(_why_not(error, where, setting)) from error
    sock.setblocking(False)
    return sock


def bound(sock: socket.socket) -> Listen:
    """Where a listening socket really listens."""
    host, port = sock.getsockname()[:2]
    return Listen(str(host), int(port))


def prepare_state(layout: Layout) -> None:
    """Make the state directory and try to write in it. CannotStart when that fails."""
    try:
        layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (layout.run, layout.log):
            folder.mkdir(mode=0o700, exist_ok=True)
        trial = layout.run / ".writable"
        trial.touch()
        trial.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(
            f"the state directory {layout.state} is not writable ({reason}): "
            "choose another with --state"
        ) from error


def lock(path: Path, who: str) -> IO[str]:
    """Hold `path` for as long as the returned file is open. CannotStart when another does."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        pid = file.read().strip() or "unknown"
        file.close()
        raise CannotStart(
            f"{who} already runs on {path.parent.parent} (process {pid}): "
            "stop it, or choose another directory with --state"
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def raise_descriptor_limit() -> None:
    """Take as many descriptors as the system allows: each stream needs two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return  # macOS caps it below its hard limit; the gateway bounds itself by what it has


def _why_not(error: OSError, where: str, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{where} is taken by another process: stop it, or choose another with {setting}"
    if error.errno == errno.EACCES:
        return f"{where} may not be opened by this user: choose a port above 1023 with {setting}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where} is no address of this machine: choose another with {setting}"
    return f"{where} cannot be opened ({error.strerror}): choose another with {setting}"
