"""What a plan refers to, and this machine does not have, or has where others can get at it: unset
variables, files that are missing, cannot be read or hold no key, and secrets that anybody reads.

A gateway may run elsewhere, or as somebody else: so these are warnings.
"""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Final

from tidegate.config.problem import Path
from tidegate.config.warn import Warned
from tidegate.core import plugs
from tidegate.core.caller import load_verifier
from tidegate.core.declared import Declared
from tidegate.core.declared_callers import DeclaredIssuer
from tidegate.core.declared_metrics import DeclaredMetrics
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.identity import Identity
from tidegate.core.secret import SecretRef

# Where platforms put secrets, with a mode that is theirs to choose.
_MOUNTED: Final = ("/run/secrets/", "/var/run/secrets/")
# Files that are secrets by what they are for.
_SECRET: Final = frozenset({"certificate_file", "key_file", "token_file"})
# A key set that is longer is refused by gateways too.
_MOST_BYTES: Final = 256 * 1024


def about_surroundings(declared: Declared, environ: Mapping[str, str]) -> Iterator[Warned]:
    """What the plan refers to and this machine does not have, or not as it should."""
    referred = set()
    for path, ref in _credentials(declared):
        referred.add(path)
        if ref.env is not None and not environ.get(ref.env):
            yield Warned(path, f"the environment variable {ref.env} is not set here")
    for path, file in _files(declared):
        data = _read(file)
        if isinstance(data, str):
            yield Warned(path, data)
        elif not data.strip():
            yield Warned(path, f"the file {file} is empty")
        elif (path in referred or path[-1] in _SECRET) and _is_open(file, stat.S_IROTH):
            yield Warned(path, f"everybody on this machine can read {file}: chmod o-r")
    for name, issuer in declared.callers.items():
        yield from _about_keys(("callers", name, "keys"), issuer)


def _about_keys(path: Path, issuer: DeclaredIssuer) -> Iterator[Warned]:
    """A file of an issuer's keys: some are of use, and nobody else can put one there."""
    file = issuer.keys.file
    if file is None:
        return
    path, data = (*path, "file"), _read(file)
    if isinstance(data, str):
        yield Warned(path, f"{data}, and without it nobody is let in")
        return
    try:
        found = load_verifier().keys(data, issuer.algorithms)
    except plugs.PlugError:
        return  # said where the plan is compiled
    except ValueError as error:
        yield Warned(path, f"{file} lets nobody in: {error}")
    else:
        if found.skipped:
            yield Warned(path, f"keys of {file} are left out: {'; '.join(found.skipped)}")
    if _is_open(file, stat.S_IWOTH):
        yield Warned(path, f"everybody on this machine can write {file}, and sign for any caller")


def _read(file: str) -> bytes | str:
    """What is there, up to what any of these may hold; or what is wrong."""
    try:
        if not FilePath(file).is_file():
            return f"there is no file {file} here"
        with FilePath(file).open("rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        denied = isinstance(error, PermissionError)
        return f"the file {file} {'may not' if denied else 'cannot'} be read here"


def _is_open(file: str, to: int) -> bool:
    """Whether others may do that with it; a platform's own mounts are its own to open."""
    try:
        return bool(FilePath(file).stat().st_mode & to) and not file.startswith(_MOUNTED)
    except OSError:
        return False


def _credentials(declared: Declared) -> Iterator[tuple[Path, SecretRef]]:
    for name, provider in declared.providers.items():
        if provider.api_key is not None:
            yield ("providers", name, "api_key"), provider.api_key
        yield from _identity_secrets(("providers", name, "identity"), provider.identity)
        yield from _page_key(("providers", name), provider.metrics)
    for path, target in _targets(declared):
        if target.api_key is not None:
            yield (*path, "api_key"), target.api_key
        for index, one in enumerate(target.api_keys):
            yield (*path, "api_keys", str(index)), one
        yield from _page_key(path, target.metrics)
    for name, issuer in declared.callers.items():
        if issuer.keys.credential is not None:
            yield ("callers", name, "keys", "credential"), issuer.keys.credential
    for name, guardrail in declared.guardrails.items():
        if guardrail.credential is not None:
            yield ("guardrails", name, "credential"), guardrail.credential
    for path, ref, _ in _told_by_control(declared):
        if ref is not None:
            yield path, ref
    if declared.storage.database is not None:
        yield ("storage", "database"), declared.storage.database
    if declared.storage.limits is not None:
        yield ("storage", "limits", "url"), declared.storage.limits.url
    if declared.storage.vectors is not None:
        yield ("storage", "vectors"), declared.storage.vectors


def _identity_secrets(of: Path, identity: Identity | None) -> Iterator[tuple[Path, SecretRef]]:
    if identity is None:
        return
    if identity.google is not None and identity.google.credentials is not None:
        yield (*of, "google", "credentials"), identity.google.credentials
    if identity.azure is not None and identity.azure.client_secret is not None:
        yield (*of, "azure", "client_secret"), identity.azure.client_secret


def _identity_files(of: Path, identity: Identity | None) -> Iterator[tuple[Path, str]]:
    azure, aws = (None, None) if identity is None else (identity.azure, identity.aws)
    for cloud, found in (("azure", azure), ("aws", aws)):
        if found is not None and found.token_file is not None:
            yield (*of, cloud, "token_file"), found.token_file
    if azure is not None and azure.certificate_file is not None:
        yield (*of, "azure", "certificate_file"), azure.certificate_file


def _page_key(of: Path, metrics: str | DeclaredMetrics | None) -> Iterator[tuple[Path, SecretRef]]:
    if isinstance(metrics, DeclaredMetrics) and metrics.api_key is not None:
        yield (*of, "metrics", "api_key"), metrics.api_key


def _told_by_control(declared: Declared) -> Iterator[tuple[Path, SecretRef | None, str | None]]:
    """Whom control tells of something: where its secret stands, that and the CA's file."""
    webhook = declared.control.alerts.webhook
    if webhook is not None:
        yield ("control", "alerts", "webhook", "api_key"), webhook.api_key, None
    for name, way in declared.control.notifications.ways.items():
        yield ("control", "notifications", "ways", name, "secret"), way.secret, way.ca_file
    for name, route in declared.routes.items():
        for index, rung in enumerate(route.ladder):
            path = ("routes", name, "ladder", str(index), "handover", "token")
            if rung.handover is not None:
                yield path, rung.handover.token, rung.handover.ca_file


def _targets(declared: Declared) -> Iterator[tuple[Path, DeclaredTarget]]:
    for name, target in declared.targets.items():
        yield ("targets", name), target
    for name, route in declared.routes.items():
        if isinstance(route.target, DeclaredTarget):
            yield ("routes", name, "target"), route.target


def _files(declared: Declared) -> Iterator[tuple[Path, str]]:
    for path, ref in _credentials(declared):
        if ref.file is not None:
            yield path, ref.file
    for name, provider in declared.providers.items():
        if provider.ca_file is not None:
            yield ("providers", name, "ca_file"), provider.ca_file
        yield from _identity_files(("providers", name, "identity"), provider.identity)
    for name, issuer in declared.callers.items():
        if issuer.keys.ca_file is not None:
            yield ("callers", name, "keys", "ca_file"), issuer.keys.ca_file
    for name, guardrail in declared.guardrails.items():
        if guardrail.ca_file is not None:
            yield ("guardrails", name, "ca_file"), guardrail.ca_file
    for path, _, ca_file in _told_by_control(declared):
        if ca_file is not None:
            yield (*path[:-1], "ca_file"), ca_file
    tls = declared.gateway.tls
    if tls is not None:
        yield ("gateway", "tls", "cert_file"), tls.cert_file
        yield ("gateway", "tls", "key_file"), tls.key_file
