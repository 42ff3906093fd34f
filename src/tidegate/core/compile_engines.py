"""Which of a plan's targets are engines that tell of themselves, and where."""

import re
from collections.abc import Mapping, Sequence

from tidegate.core.assemble import Path, Say
from tidegate.core.declared import Declared
from tidegate.core.declared_metrics import DeclaredMetrics
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.engine_signals import EnginePage
from tidegate.core.plan import Target
from tidegate.core.secret import SecretRef
from tidegate.core.words import nearest, quoted

_PATH = re.compile(r"/[!-~]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Written by whoever asks for a page.
_OURS = frozenset(
    {
        *("host", "connection", "accept", "accept-encoding", "user-agent", "te", "upgrade"),
        *("content-length", "transfer-encoding", "content-type", "expect", "trailer"),
    }
)


def compile_engines(
    declared: Declared, targets: Mapping[str, Target], engines: Sequence[str], say: Say
) -> dict[str, EnginePage]:
    """By the target's name, of those of `targets` that have a page; `engines` are all readers.
    Adapters have their model's."""
    found = {}
    for name, target in targets.items():
        path, metrics = _declared(declared, name, target)
        if metrics == "none":
            continue
        if metrics is not None:
            page = _page(metrics, target, engines, path, say)
        else:
            page = EnginePage(target.dialect) if target.dialect in engines else None
        if page is not None:
            found[name] = page
    return found


def _declared(
    declared: Declared, name: str, target: Target
) -> tuple[Path, str | DeclaredMetrics | None]:
    """The target's own, else its provider's, and where that stands."""
    path: Path = ("targets", target.pool)
    own = declared.targets.get(target.pool)
    route = declared.routes.get(name)
    if own is None and route is not None and isinstance(route.target, DeclaredTarget):
        own, path = route.target, ("routes", name, "target")
    if own is not None and own.metrics is not None:
        return (*path, "metrics"), own.metrics
    return ("providers", target.provider, "metrics"), declared.providers[target.provider].metrics


def _page(
    metrics: str | DeclaredMetrics, target: Target, engines: Sequence[str], path: Path, say: Say
) -> EnginePage | None:
    assert isinstance(metrics, DeclaredMetrics)  # noqa: S101  (the only other text is `none`)
    engine = metrics.engine or target.dialect
    if engine not in engines:
        if metrics.engine is None:
            what = f"no page of {quoted(engine)} is known: write `engine:` with one of"
            say(path, f"{what}: {', '.join(engines)}")
        else:
            what = f"there is no engine {quoted(engine)}{nearest(engine, engines)}"
            say((*path, "engine"), f"{what}; known are: {', '.join(engines)}")
        return None
    if metrics.path is not None and not _PATH.fullmatch(metrics.path):
        say((*path, "path"), f"{quoted(metrics.path)} is no path; write for example /metrics")
        return None
    key = metrics.api_key if metrics.api_key != SecretRef() else None
    wrong = None if metrics.header is None else _wrong(metrics.header, key)
    if wrong is not None:
        say((*path, "header"), wrong)
        return None
    return EnginePage(engine, metrics.port, metrics.path, key, metrics.header)


def _wrong(header: str, key: SecretRef | None) -> str | None:
    """What is wrong with where a key is to go."""
    if not _HEADER.fullmatch(header):
        return f"{quoted(header)} is not the name of a header; write for example X-API-Key"
    if header.lower() in _OURS:
        return f"{header} is written by who asks for the page; write for example X-API-Key"
    return None if key is not None else "there is no `api_key` to send in it; write one"
