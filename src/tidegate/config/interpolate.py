"""`${X}`, `${X:-default}`, `os.environ/X` in a plan's values, and `$${` for a plain `${`."""

import re
from collections.abc import Mapping

from msgspec import Struct

from tidegate.core.database_ref import AnyRef, CountersRef, DatabaseRef, VectorsRef, read_address
from tidegate.core.secret import SecretRef
from tidegate.core.words import quoted

MAX_VALUE_CHARS = 16_384
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN = re.compile(r"\$\$\{|\$\{(?:(" + _NAME + r")(:-([^{}]*))?\})?")
_WHOLE = re.compile(r"os\.environ/(.*)", re.DOTALL)
_SECRET = re.compile(r"\$\{(" + _NAME + r")\}|os\.environ/(" + _NAME + r")")
_VARIABLE = re.compile(_NAME)


class Filled(Struct, frozen=True):
    """A value with its variables filled in.

    `sources` says where the text came from, in order: `$NAME` or `default of $NAME`. It is empty
    where nothing was filled in.
    """

    text: str
    sources: tuple[str, ...] = ()


def fill(text: str, environ: Mapping[str, str]) -> Filled:
    """`text` with its variables. ValueError says which is missing; it never holds a value."""
    whole = _WHOLE.fullmatch(text)
    if whole is not None:
        name = whole[1]
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{quoted(name)} is not the name of an environment variable")
        if name not in environ:
            raise ValueError(f"the environment variable {name} is not set")
        return Filled(environ[name][:MAX_VALUE_CHARS], (f"${name}",))
    if "${" not in text:
        return Filled(text)
    sources: list[str] = []
    parts: list[str] = []
    at = 0
    for match in _TOKEN.finditer(text):
        parts.append(text[at : match.start()])
        parts.append(_value(match, environ, sources))
        at = match.end()
    filled = "".join(parts) + text[at:]
    if len(filled) > MAX_VALUE_CHARS:
        raise ValueError(f"with its variables filled in it has over {MAX_VALUE_CHARS} characters")
    return Filled(filled, tuple(sources))


def _value(match: re.Match[str], environ: Mapping[str, str], sources: list[str]) -> str:
    name, default = match[1], match[3]
    if match[0] == "$${":
        return "${"
    if name is None:
        raise ValueError("`${` starts no variable; write ${NAME}, ${NAME:-default}, or $${ for ${")
    value = environ.get(name)
    if match[2] is None:
        if value is None:
            raise ValueError(
                f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}"
            )
        sources.append(f"${name}")
        return value
    sources.append(f"${name}" if value else f"default of ${name}")
    return value or default


def read_secret(text: str) -> SecretRef:
    """The reference that `text` is; an empty one for `none`. ValueError for anything else.

    The message never holds the text: what stands where a reference belongs may be the secret.
    """
    if text == "none":
        return SecretRef()
    match = _SECRET.fullmatch(text)
    if match is not None:
        return SecretRef(env=match[1] or match[2])
    if text.startswith("file:") and len(text) > len("file:") and text.isprintable():
        return SecretRef(file=text.removeprefix("file:"))
    raise ValueError(
        "expected a reference, not a secret: write ${NAME} for an environment variable, "
        "file:/path for a file, or none"
    )


def read_database(text: str) -> DatabaseRef:
    """The address of a database, or a reference to it. ValueError, which never holds the text."""
    return _read_store(text, DatabaseRef)


def read_counters(text: str) -> CountersRef:
    """The address of a store of counters, likewise."""
    return _read_store(text, CountersRef)


def read_vectors(text: str) -> VectorsRef:
    """The address of a store of vectors, likewise."""
    return _read_store(text, VectorsRef)


def _read_store(text: str, kind: type[AnyRef]) -> AnyRef:
    match = _SECRET.fullmatch(text)
    if match is not None:
        return kind(env=match[1] or match[2])
    if text.startswith("file:") and len(text) > len("file:") and text.isprintable():
        return kind(file=text.removeprefix("file:"))
    return read_address(text, kind)
