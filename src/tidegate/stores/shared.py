"""A database that several machines share, and what its gateways are called there.

Their names have the machine's before their own. A machine's name is that of its host with a few
letters of the state directory's own, so that two directories of one host are two. Where the host's
name has changed (an image or a disk that was copied) it is made anew: whatever the journals still
hold is then read again, and each receipt is stored once.
"""

import re
import socket
import string
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.database_ref import DATABASE_VARIABLE
from tidegate.core.layout import Layout
from tidegate.core.secret import Secret

_APART = "/"
_OWN_LETTERS = 6
_ALPHABET = string.ascii_lowercase + string.digits
_UNFIT = re.compile(r"[^A-Za-z0-9.-]")


class Shared(Struct, frozen=True):
    """Where the database is, with its password, and this machine's name in it."""

    url: Secret
    node: str


def shared_database(environ: Mapping[str, str], layout: Layout) -> Shared | None:
    """The database that this process shares with those of other machines, None where it has one
    of its own in its state directory. OSError."""
    url = environ.get(DATABASE_VARIABLE)
    return Shared(Secret(url), node_name(layout.node)) if url else None


def name_everywhere(node: str, gateway: str) -> str:
    """The name of a machine's gateway in the database; "" is the only machine there is."""
    return f"{node}{_APART}{gateway}" if node else gateway


def local_name(node: str, name: str) -> str | None:
    """The name of a gateway on this machine, None when it is another's."""
    machine, apart, gateway = name.rpartition(_APART)
    return gateway if machine == node and bool(apart) == bool(node) else None


def node_name(file: Path) -> str:
    """This machine's name, as it is kept in `file`; made when there is none. OSError."""
    host = _UNFIT.sub("-", socket.gethostname())[:60] or "machine"
    try:
        kept = file.read_text("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        kept = ""
    if kept.rpartition("-")[0] == host:
        return kept
    made = f"{host}-{clock.random_text(_ALPHABET, _OWN_LETTERS)}"
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(f"{made}\n", "utf-8")
    draft.replace(file)
    return made
