"""Where a shared store is found: an address whose password is a reference, or one reference."""

import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from tidegate.core.secret import Secret, SecretRef

# Where the processes of one machine find the address of the database that it shares with others.
DATABASE_VARIABLE: Final = "TIDEGATE_DATABASE"
CountersMode = Literal["slice", "exact"]
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_KEYWORD = re.compile(r"[?&](ssl)?password=")


class DatabaseRef(SecretRef, frozen=True):
    """A variable or a file that holds the address, or `url` with variables in it."""

    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    example: ClassVar[str] = "postgresql://user@host:5432/database"
    url: str | None = None

    def __str__(self) -> str:
        return self.url or SecretRef.__str__(self)


class CountersRef(DatabaseRef, frozen=True):
    """The same, of the Redis or Valkey that keeps counters for several gateways."""

    schemes: ClassVar[tuple[str, ...]] = ("redis", "rediss", "unix")
    example: ClassVar[str] = "redis://host:6379/0"


class VectorsRef(DatabaseRef, frozen=True):
    """The same, of what keeps vectors for several gateways; its scheme says what that is."""

    schemes: ClassVar[tuple[str, ...]] = (
        *("redis", "rediss", "unix", "postgresql", "postgres", "http", "https"),
    )
    example: ClassVar[str] = (
        "redis://host:6379/0, postgresql://user@host:5432/database or http://host:6333"
    )

    def store(self) -> "VectorStore":
        """As the plan has it."""
        return VectorStore(self.env, self.file, self.url)


class VectorStore(Struct, frozen=True, omit_defaults=True):
    """What keeps vectors for several gateways: its address without its secret, or where the address
    is to be found."""

    env: str | None = None
    file: str | None = None
    url: str | None = None


class CounterStore(Struct, frozen=True, omit_defaults=True):
    """The Redis that counts for several gateways: its address without its secret, or where the
    address is to be found."""

    mode: CountersMode = "slice"
    env: str | None = None
    file: str | None = None
    url: str | None = None


AnyRef = TypeVar("AnyRef", bound=DatabaseRef)


def read_address(text: str, kind: type[AnyRef]) -> AnyRef:
    """The address that `text` is, without its secret. ValueError, which never holds the text."""
    _check(text, kind)
    found = urlsplit(text)
    password = found.password
    if _KEYWORD.search(text) or (password is not None and not _VARIABLE.fullmatch(password)):
        raise ValueError(
            "a password does not stand in a plan: write ${NAME} in its place, or give the whole "
            "address as ${NAME} or file:/path"
        )
    return kind(url=text)


def resolve(ref: DatabaseRef, environ: Mapping[str, str], read: Callable[[str], str]) -> Secret:
    """The address with its password; `read` gives a file's text. ValueError, OSError."""

    def variable(name: str) -> str:
        if not environ.get(name):
            raise ValueError(f"the environment variable {name} is not set")
        return environ[name]

    if ref.env is not None:
        text, source = variable(ref.env), f"${ref.env}"
    elif ref.file is not None:
        text, source = read(ref.file).strip(), ref.file
    else:
        url = ref.url or ""
        within = url.find("@")

        def value(match: re.Match[str]) -> str:
            plain = variable(match[1])
            return quote(plain, safe="") if match.start() < within else plain

        text, source = _VARIABLE.sub(value, url), "the address"
    try:
        _check(text, type(ref))
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return Secret(text)


def _check(text: str, kind: type[DatabaseRef]) -> None:
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if scheme not in kind.schemes or not text.isprintable() or not text.startswith(f"{scheme}://"):
        raise ValueError(f"expected an address such as {kind.example}")
