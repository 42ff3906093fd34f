"""`control.notifications` of the plan file: what is wrong with it. Pure."""

from collections.abc import Mapping
from typing import Final

from tidegate.core import plugs
from tidegate.core.assemble import Path, Say
from tidegate.core.declared import Declared
from tidegate.core.declared_notifications import DeclaredWay
from tidegate.core.facts import Ways
from tidegate.core.secret import SecretRef
from tidegate.core.words import nearest, quoted

MAX_WAYS = 50  # each has a thread while it has something to send
_PATH: Path = ("control", "notifications", "ways")
# The fields that not every kind reads, by the key that sets them.
_READ_BY_SOME = ("url", "secret", "channel", "private", "ca_file", "server", "tls", "user")
_KEYS: Final[Mapping[str, str]] = {
    **{name: name for name in _READ_BY_SOME},
    "sender": "from",
    "to": "to",
}


def check_notifications(declared: Declared, ways: Ways, say: Say) -> None:
    """Say what could tell nobody."""
    declared_ways = declared.control.notifications.ways
    if len(declared_ways) > MAX_WAYS:
        say(_PATH, f"there are at most {MAX_WAYS} ways; here are {len(declared_ways)}")
        return
    for name, one in declared_ways.items():
        path = (*_PATH, name)
        _check_kind(path, one, ways, say)
        for route in one.routes:
            if route not in declared.routes:
                near = nearest(route, declared.routes)
                say((*path, "routes"), f"there is no route {quoted(route)}{near}")


def _check_kind(path: Path, declared: DeclaredWay, ways: Ways, say: Say) -> None:
    known = ways.names()
    if declared.kind not in known:
        what = f"there is no way {quoted(declared.kind)}{nearest(declared.kind, known)}"
        say((*path, "kind"), f"{what}; write one of: {', '.join(known)}")
        return
    try:
        way = ways.get(declared.kind)
    except plugs.PlugError as error:
        say((*path, "kind"), " ".join(str(error).split()))
        return
    written = {name for name in _KEYS if getattr(declared, name) not in (None, (), SecretRef())}
    for name in sorted(written - way.reads):
        say((*path, _KEYS[name]), f"a way of kind {declared.kind} does not read this")
    missing = [_KEYS[name] for name in _KEYS if name in way.needs - written]
    for key in missing:
        say(path, f"a way of kind {declared.kind} needs {quoted(key)}")
    if not missing and (wrong := way.complaint(declared)) is not None:
        say(path, wrong)
