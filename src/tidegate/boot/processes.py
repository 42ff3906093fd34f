"""The command lines of control and of a gateway, for whoever supervises them."""

from functools import partial
from pathlib import Path

from msgspec import Struct

from tidegate.beside.environment import harmless
from tidegate.boot.child import ChildSpec
from tidegate.boot.module import module_argv
from tidegate.core.address import Listen
from tidegate.core.layout import Layout


class Processes(Struct, frozen=True):
    """What the processes of one Tidegate share. The descriptors are of listening sockets.

    `environ` is added to ours; `logs` has what each prints in a file of its own instead of here.
    """

    layout: Layout
    plan: Path
    gateway_host: str
    gateway_fd: int
    control_fd: int
    tls_arguments: tuple[str, ...] = ()
    environ: dict[str, str] = {}
    logs: bool = False

    def control(self) -> ChildSpec:
        arguments = (
            *("--state", str(self.layout.state)),
            *("--plan", str(self.plan)),
            *("--listen-fd", str(self.control_fd)),
            *("--gateway-host", self.gateway_host),
        )
        return self._spec("control", "tidegate.boot.embedded", arguments, self.control_fd)

    def gateway(self, slot: int) -> ChildSpec:
        arguments = (
            *("--state", str(self.layout.state)),
            *("--slot", str(slot)),
            *("--listen-fd", str(self.gateway_fd)),
            *self.tls_arguments,
        )
        return self._spec(f"gateway {slot}", "tidegate.gateway", arguments, self.gateway_fd)

    def any_llm(self, listen: Listen) -> ChildSpec:
        """What asks any-llm's providers. Its output is the libraries' own; none of our secrets is
        in its environment."""
        arguments = ("--listen", str(listen))
        argv = partial(module_argv, "tidegate.beside.any_llm", arguments)
        log = self.layout.log / "any-llm.log"
        return ChildSpec(f"any-llm {listen}", argv, log=log, inherits=harmless)

    def _spec(self, name: str, module: str, arguments: tuple[str, ...], fd: int) -> ChildSpec:
        log = self.layout.log / f"{name.replace(' ', '-')}.log" if self.logs else None
        argv = partial(module_argv, module, arguments)
        return ChildSpec(name, argv, (fd,), log=log, environ=self.environ)
