"""Where Google's credentials of a workload say that its own token is."""

from collections.abc import Callable, Generator
from typing import Any, Final

from msgspec import Struct, field

from tidegate.core.secret import Secret
from tidegate.core.sign_in import Fetch, NotSignedIn, Step
from tidegate.identities import _steps

FILE: Final = "Google's credentials"
_WHO: Final = "the workload's own token"


class _Format(Struct):
    type: str = "text"
    subject_token_field_name: str | None = None


class Source(Struct):
    """A file or an address; what else there may be is known, to be refused by its name."""

    file: str | None = None
    url: str | None = None
    headers: dict[str, str] = {}
    format: _Format = field(default_factory=_Format)
    environment_id: str | None = None
    executable: Any = None
    certificate: Any = None


def subject_of(
    source: Source | None, allowed: Callable[[str], str]
) -> Generator[Step, Any, Secret]:
    """The token. `allowed` gives back an address that may be asked."""
    source = source or Source()
    how = _not_carried(source)
    if how is not None:
        raise NotSignedIn(f"{FILE} get {_WHO} {how}")
    if source.file is not None:
        text = yield from _steps.read(source.file, _WHO)
    elif source.url is not None:
        url = allowed(source.url)
        step = Fetch("GET", url, tuple(source.headers.items()), direct=_steps.is_near(url))
        answer = yield from _steps.fetched(step, f"the server of {_WHO}")
        text = answer.body.decode("ascii", "replace").strip()
    else:
        raise NotSignedIn(f"{FILE} get {_WHO} neither from a file nor from an address")
    if source.format.type == "json":
        told = _steps.decoded(text, dict[str, Any], _WHO)
        text = str(told.get(source.format.subject_token_field_name or "", ""))
    return _steps.secret(text, _WHO)


def _not_carried(source: Source) -> str | None:
    if source.environment_id is not None:
        return "by a request that AWS signs, which is not done here: have it written to a file"
    if source.executable is not None:
        return "by running a program, which is not done here: have it write a file"
    return None if source.certificate is None else "by a certificate, which is not done here"
