"""Who may use the control API: bearer tokens with a role, and a bound on wrong guesses.

`operator.token` grants `admin`. Beside it `operator.tokens` may hold more, one a line as
`ROLE NAME TOKEN`. Both are read again when they change, so a token is withdrawn without a
restart.
"""

import hmac
import logging
import stat
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, get_args

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.stores.teams import TeamRecord

Role = Literal["viewer", "operator", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)  # each may do what the ones before it may

_log = logging.getLogger(__name__)


class Operator(Struct, frozen=True):
    """A person or program that presented a valid token. `role` None is the lead of `team`, who
    sees and serves nothing else."""

    name: str
    role: Role | None
    team: TeamRecord | None = None

    def may(self, needed: Role) -> bool:
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(needed)


class TokenFileError(Exception):
    """A token file that cannot be obeyed. The message says which line and never the token."""


class Operators:
    """The tokens of one state directory."""

    def __init__(self, layout: Layout) -> None:
        self._admin_file = layout.operator_token
        self._more_file = layout.state / "operator.tokens"
        self._stamp: tuple[tuple[int, int] | None, ...] = ()
        self._tokens: list[tuple[bytes, Operator]] = []

    def find(self, token: bytes) -> Operator | None:
        """Whose token this is. Compares with every one, each in constant time."""
        self._refresh()
        found = None
        for known, operator in self._tokens:
            if hmac.compare_digest(known, token):
                found = operator
        return found

    def _refresh(self) -> None:
        stamp = (_stamp(self._admin_file), _stamp(self._more_file))
        if stamp == self._stamp:
            return
        tokens: list[tuple[bytes, Operator]] = []
        admin = self._admin_file.read_bytes().strip() if stamp[0] else b""
        if admin:
            tokens.append((admin, Operator("operator", "admin")))
        if stamp[1]:
            try:
                tokens += read_tokens(self._more_file)
            except TokenFileError as error:
                # Fails closed: a line with a mistake may be the one that withdraws a token.
                _log.error("only the token in %s is valid: %s", self._admin_file.name, error)
        self._tokens, self._stamp = tokens, stamp


def read_tokens(path: Path) -> list[tuple[bytes, Operator]]:
    """The further tokens in `path`. TokenFileError names the line that is wrong."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise TokenFileError(f"{path} can be read by others: chmod 600 {path}")
    tokens: list[tuple[bytes, Operator]] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or words[0] not in ROLES:
            roles = ", ".join(ROLES)
            raise TokenFileError(f"{path}:{number}: expected `ROLE NAME TOKEN`, ROLE of {roles}")
        role = ROLES[ROLES.index(words[0])]
        if len(words[2]) < 20:
            raise TokenFileError(f"{path}:{number}: the token is shorter than 20 characters")
        tokens.append((words[2].encode(), Operator(words[1], role)))
    return tokens


class FailureLimit:
    """At most `most` wrong tokens a minute from one address; beyond, its wrong ones must wait."""

    _WINDOW_S = 60.0
    _ADDRESSES = 4096

    def __init__(self, most: int = 10, now_s: Callable[[], float] = clock.monotonic_s) -> None:
        self._most = most
        self._now_s = now_s
        self._failed_at_s: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until a wrong token from `address` is looked at again; 0 when it is now."""
        now_s = self._now_s()
        failed_at_s = self._recent(address, now_s)
        if len(failed_at_s) < self._most:
            return 0.0
        return failed_at_s[-self._most] + self._WINDOW_S - now_s

    def failed(self, address: str) -> None:
        now_s = self._now_s()
        self._failed_at_s[address] = [*self._recent(address, now_s), now_s][-self._most :]
        self._failed_at_s.move_to_end(address)
        while len(self._failed_at_s) > self._ADDRESSES:
            self._failed_at_s.popitem(last=False)

    def _recent(self, address: str, now_s: float) -> list[float]:
        oldest_s = now_s - self._WINDOW_S
        return [at_s for at_s in self._failed_at_s.get(address, ()) if at_s > oldest_s]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino
