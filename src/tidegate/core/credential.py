"""The machine's own credentials, and what a signature is made over."""

from msgspec import Struct

from tidegate.core.secret import Secret


class SigningKey(Struct, frozen=True):
    """An access key by which requests are signed. `session` belongs to one that is temporary;
    `region` is where it is used unless an address says it."""

    id: str
    secret: Secret
    session: Secret | None = None
    region: str | None = None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return (self.secret,) if self.session is None else (self.secret, self.session)


class Addressed(Struct, frozen=True):
    """Where a provider's requests go: the authority as the `host` header has it, the path before
    `Outgoing.path`, and the headers that all of them have."""

    host: str
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
