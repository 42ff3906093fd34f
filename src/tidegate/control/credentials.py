"""The secrets of a state directory: the peppers of the keys and the operator's token.

The first pepper and the token are made at the first start. Beyond loopback a secret that anyone
could guess or read stops the start: the listener would be open to everyone.
"""

import os
import stat
import string
from pathlib import Path

from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.stores.peppers import pepper_file, pepper_files

_PEPPER_BYTES = 32
_TOKEN_LENGTH = 43  # 256 bits in 62 letters
_SHORTEST_TOKEN = 20
_SHORTEST_PEPPER_BYTES = 16
_ALPHABET = string.ascii_letters + string.digits
_MADE_ANEW = "delete it to have a new one made"
_KEYS_END = "every key made under it then stops working"
_PLACEHOLDERS = frozenset(
    ["sk-1234", "sk-xxxx", "changeme", "change-me", "secret", "password", "admin", "token", "test"]
)


def create_state(layout: Layout) -> None:
    """Make the state directory and its secrets where they are missing. OSError when it cannot."""
    layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (layout.run, layout.log, layout.journal):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not pepper_files(layout.state):
        create_pepper(layout)
    token = clock.random_text(_ALPHABET, _TOKEN_LENGTH)
    _create(layout.operator_token, token.encode() + b"\n")


def create_pepper(layout: Layout) -> int:
    """Make the next pepper, under which keys are digested from now on; its version. OSError."""
    version = max(pepper_files(layout.state), default=0) + 1
    _create(pepper_file(layout.state, version), clock.random_bytes(_PEPPER_BYTES))
    return version


def weaknesses(layout: Layout) -> list[str]:
    """What makes the secrets unfit for a listener beyond loopback, one sentence each."""
    peppers, token = list(pepper_files(layout.state).values()), layout.operator_token
    found = [_readable_by_others(path) for path in (*peppers, token)]
    advice = f"{_MADE_ANEW if len(peppers) == 1 else 'delete it'}; {_KEYS_END}"
    found += [_too_weak(pepper, _SHORTEST_PEPPER_BYTES, advice) for pepper in peppers]
    found.append(_too_weak(token, _SHORTEST_TOKEN, _MADE_ANEW))
    return [sentence for sentence in found if sentence]


def _create(path: Path, content: bytes) -> None:
    """Makes the file whole or not at all: a kill in between leaves no empty secret behind."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(fd)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another start was quicker, and its secret is the one in use
    finally:
        draft.unlink()


def _readable_by_others(path: Path) -> str | None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return None
    return f"{path} can be read by others (mode {mode:04o}): chmod 600 {path}"


def _too_weak(path: Path, shortest: int, advice: str) -> str | None:
    content = path.read_bytes().strip()
    if not content:
        return f"{path} is empty: {advice}"
    if content.decode("utf-8", "replace").lower() in _PLACEHOLDERS:
        return f"{path} holds a placeholder: {advice}"
    if len(content) < shortest:
        return f"{path} holds fewer than {shortest} bytes: {advice}"
    return None
