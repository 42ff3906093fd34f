"""Signing in to a cloud, without I/O: what has to be asked, read and signed until a token is there.

A plug in `identities/` is a generator of steps. The gateway (`gateway.sign_in`) takes each and
sends back what came of it; the plug's last word is a Lease. Tests take the steps themselves.
"""

from collections.abc import Generator, Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct

from tidegate.core.credential import SigningKey
from tidegate.core.secret import Secret


class NotSignedIn(Exception):
    """There is no token to be had so; the message says why and whose fault it is, and holds no
    secret."""


class Fetch(Struct, frozen=True):
    """A request. `url` may have a query. `direct`: no proxy stands between (link-local servers)."""

    method: Literal["GET", "POST", "PUT"]
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    direct: bool = False


class Fetched(Struct, frozen=True):
    """Its answer, of whatever status. `date_s`: the server's own clock, where it tells."""

    status: int
    body: bytes
    date_s: float | None = None


class ReadFile(Struct, frozen=True):
    """A file's text; None where there is none. NotSignedIn where it cannot be read."""

    path: str


class Sign(Struct, frozen=True):
    """A signature by an RSA key (PEM)."""

    key_pem: Secret
    message: bytes
    algorithm: Literal["RS256", "PS256"]


Step = Fetch | ReadFile | Sign
# What comes back is a Fetched, a text or None, and the signature's bytes.
Steps = Generator[Step, Any, "Lease"]


class Lease(Struct, frozen=True):
    """What a request is sent with: a bearer token, or an AWS key, and headers that belong to it. It
    lives for so many seconds from the moment that its last step was asked."""

    lives_s: float
    token: Secret | None = None
    key: SigningKey | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        of_key = () if self.key is None else self.key.secrets
        return of_key if self.token is None else (self.token, *of_key)


class Around(Struct, frozen=True):
    """What a machine says of itself: its variables, and the wall clock's time."""

    environ: Mapping[str, str]
    now_s: float


class SignIn(Protocol):
    """A plug of the room `identities`. `wanted` is the cloud's part of core.identity.Identity."""

    def steps(self, wanted: Any, around: Around) -> Steps:
        """NotSignedIn, at any step."""
