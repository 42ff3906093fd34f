"""Where the processes listen and keep their state, and how many there are.

Read from the plan at each start and kept in the state directory, so that a start with a plan that
is refused can still serve the last good one at the same addresses.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core.address import Listen, is_loopback, parse_url
from tidegate.core.database_ref import DatabaseRef
from tidegate.core.declared import Declared
from tidegate.core.declared_control import DeclaredControl
from tidegate.core.declared_gateway import DeclaredGateway
from tidegate.core.layout import Layout
from tidegate.providers.any_llm import plug

_GATEWAY: Final = DeclaredGateway()
_CONTROL: Final = DeclaredControl()


class Setting(Struct, frozen=True):
    """`tls` holds the certificate's and the key's file, both or neither. `database` is the shared
    one, without its secret. `counts_alone`: each gateway counts limits in its own memory, those of
    the plan and those that keys and teams bring. `any_llm`: where providers of that kind are asked,
    on this machine."""

    state: Path
    listen: Listen = _GATEWAY.listen
    control_listen: Listen = _CONTROL.listen
    gateways: int = _GATEWAY.processes
    tls: tuple[str, str] | None = None
    database: DatabaseRef | None = None
    counts_alone: bool = False
    any_llm: tuple[Listen, ...] = ()

    def tls_arguments(self) -> tuple[str, ...]:
        """The gateways' options for TLS."""
        if self.tls is None:
            return ()
        certificate, key = self.tls
        return ("--tls-cert", certificate, "--tls-key", key)

    def remember(self, layout: Layout) -> None:
        _file(layout).write_bytes(msgspec.json.encode(self, enc_hook=str))


def of_plan(declared: Declared, file: Path) -> Setting:
    """What the plan in `file` says."""
    folder = file.parent
    tls = declared.gateway.tls
    return Setting(
        state=(folder / Path(declared.storage.dir).expanduser()).absolute(),
        listen=declared.gateway.listen,
        control_listen=declared.control.listen,
        gateways=declared.gateway.processes,
        tls=(str(folder / tls.cert_file), str(folder / tls.key_file)) if tls else None,
        database=declared.storage.database,
        counts_alone=declared.storage.limits is None,
        any_llm=_any_llm(declared),
    )


def _any_llm(declared: Declared) -> tuple[Listen, ...]:
    """Where the processes that ask any-llm's providers are to listen: those at other machines are
    somebody else's to start."""
    found = set()
    for name, provider in declared.providers.items():
        if (provider.kind or name) == "any_llm":
            url = parse_url(provider.base_url or plug.base_url)
            if is_loopback(url.host):
                found.add((url.host, url.port))
    return tuple(Listen(host, port) for host, port in sorted(found))


def remembered(layout: Layout) -> Setting | None:
    """The setting of the last start, where a plan of it is there to be served."""
    if not layout.plan.is_file():
        return None
    try:
        return msgspec.json.decode(_file(layout).read_bytes(), type=Setting, dec_hook=_path)
    except (OSError, msgspec.DecodeError):
        return None


def _path(kind: type[Path], text: str) -> Path:
    return kind(text)


def _file(layout: Layout) -> Path:
    return layout.run / "setting.json"
