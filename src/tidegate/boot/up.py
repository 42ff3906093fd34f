"""`tidegate up`: everything on this machine, with one command."""

import asyncio
import logging
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from tidegate.boot import demo
from tidegate.boot.child import EX_CONFIG, Child
from tidegate.boot.demo import Demo
from tidegate.boot.greeter import Greeter
from tidegate.boot.processes import Processes
from tidegate.boot.setting import Setting, of_plan, remembered
from tidegate.boot.start import (
    CannotStart,
    bind,
    bound,
    local_url,
    lock,
    parse_option,
    prepare_state,
    raise_descriptor_limit,
)
from tidegate.boot.supervisor import Supervisor
from tidegate.boot.welcome import Welcome
from tidegate.cli._client import Control
from tidegate.config.load import DEFAULT_FILE, load
from tidegate.control.credentials import create_state
from tidegate.core.address import is_loopback
from tidegate.core.database_ref import DATABASE_VARIABLE, DatabaseRef, resolve
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan

_USUAL_PLAN = Path(DEFAULT_FILE)
_USUAL_STATE = Path(".tidegate")
_DRAIN_S = 30.0  # where no plan says otherwise


class Asked(Struct, frozen=True):
    """The options of `tidegate up`; None where the plan decides."""

    plan: Path | None
    config: Path | None
    state: Path | None
    gateways: int | None
    listen: str | None
    control_listen: str | None
    database: str | None
    quiet: bool


@click.command(name="up")
@click.argument(
    "plan", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[PLAN]"
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="TIDEGATE_CONFIG",
    metavar="PLAN",
    help="The plan file, if it is not given as PLAN.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TIDEGATE_STATE",
    metavar="DIR",
    help="Directory for keys, ledger, journals and the operator's token, instead of the plan's.",
)
@click.option(
    "--gateways",
    "--workers",
    "gateways",
    type=click.IntRange(1, 256),
    envvar="TIDEGATE_GATEWAYS",
    metavar="N",
    help="Gateway processes (workers) that share the port, instead of as many as the plan says.",
)
@click.option(
    "--listen",
    envvar="TIDEGATE_LISTEN",
    metavar="HOST:PORT",
    help="Where applications send requests, instead of where the plan says.",
)
@click.option(
    "--control-listen",
    envvar="TIDEGATE_CONTROL_LISTEN",
    metavar="HOST:PORT",
    help="Where operators reach control, instead of where the plan says.",
)
@click.option(
    "--database",
    envvar=DATABASE_VARIABLE,
    metavar="ADDRESS",
    help="The PostgreSQL that several machines share, instead of the plan's. With a password in "
    "it, give it in the environment.",
)
@click.option("--quiet", is_flag=True, help="Print no addresses, no first key, no receipt.")
def up(**options: object) -> None:
    """Start Tidegate on this machine: control, gateways and, without a plan, a small model.

    PLAN is tidegate.yaml in this directory, if there is one. Without any, Tidegate serves a small
    model that runs on this machine, or simulated text where that model is not installed.

    Ctrl-C or SIGTERM lets open requests finish first; a second one ends them. SIGHUP reads the
    plan file again.
    """
    asked = msgspec.convert(options, Asked)
    logging.basicConfig(format="%(asctime)s %(levelname)s up: %(message)s")
    try:
        status = _run(asked)
    except CannotStart as error:
        click.echo(f"Error: {error}", err=True)
        status = error.status
    sys.exit(status)


def _run(asked: Asked) -> int:
    file = _plan_file(asked)
    setting = _setting(asked, file)
    environ = _database(asked, setting)
    if setting.any_llm and find_spec("any_llm") is None:
        message = "the plan has providers of the kind any_llm: pip install tidegate[any-llm]"
        raise CannotStart(message, EX_CONFIG)
    layout = Layout(setting.state)
    prepare_state(layout)
    with lock(layout.run / "supervisor.lock", "tidegate up"):
        create_state(layout)
        gateway = bind(setting.listen, "gateway.listen in the plan, or --listen")
        control = bind(setting.control_listen, "control.listen in the plan, or --control-listen")
        with gateway, control:
            setting.remember(layout)
            raise_descriptor_limit()
            engine = demo.prepare(layout) if file is None else None
            plan = engine.plan if engine else file
            assert plan is not None  # noqa: S101  (one of the two is there)
            up = _Up(setting, plan, engine, (gateway, control), environ)
            if not asked.quiet:
                up.greet()
            return up.run()


class _Up:
    """Everything that is known once the sockets are open."""

    def __init__(
        self,
        setting: Setting,
        plan: Path,
        engine: Demo | None,
        sockets: tuple[socket.socket, socket.socket],
        environ: dict[str, str],
    ) -> None:
        self._layout = layout = Layout(setting.state)
        self._setting = setting
        self._plan = plan
        self._engine = engine
        self._gateway, self._control = sockets
        self._environ = environ
        self._gateway_url = local_url(bound(self._gateway), "https" if setting.tls else "http")
        (layout.run / "gateway.url").write_text(self._gateway_url + "\n", "utf-8")

    def greet(self) -> None:
        control_url = local_url(bound(self._control), "http")
        base = Welcome(
            gateway_url=self._gateway_url,
            control_url=control_url,
            state=str(self._layout.state),
            plan=str(self._plan),
            model_note=self._engine.note if self._engine else None,
        )
        exposed = not is_loopback(bound(self._gateway).host)

        def open_control() -> Control:
            if self._engine is not None:
                self._engine.wait_until_loaded()
            return Control(self._layout.state, control_url)

        Greeter(open_control, base, exposed, click.echo).start()

    def run(self) -> int:
        processes = Processes(
            layout=self._layout,
            plan=self._plan,
            gateway_host=bound(self._gateway).host,
            gateway_fd=self._gateway.fileno(),
            control_fd=self._control.fileno(),
            tls_arguments=self._setting.tls_arguments(),
            environ=self._environ,
        )
        beside = [processes.any_llm(listen) for listen in self._setting.any_llm]
        if self._engine:
            beside.append(self._engine.engine)
        supervisor = Supervisor(
            Child(processes.control()),
            [Child(processes.gateway(slot)) for slot in range(self._setting.gateways)],
            [Child(spec) for spec in beside],
            self._drain_s,
            self._gateway.close,
        )
        return asyncio.run(supervisor.run())

    def _drain_s(self) -> float:
        """How long the plan in force lets open requests finish, in seconds."""
        try:
            return msgspec.msgpack.decode(self._layout.plan.read_bytes(), type=Plan).drain_s
        except (OSError, msgspec.DecodeError):
            return _DRAIN_S


def _plan_file(asked: Asked) -> Path | None:
    """The plan file; None where the small model is to be served."""
    if asked.plan and asked.config and asked.plan != asked.config:
        raise CannotStart(f"two plan files are named, {asked.plan} and {asked.config}: name one")
    named = asked.plan or asked.config
    if named is not None and not named.is_file():
        raise CannotStart(f"there is no plan file {named}: name another one")
    if named is None and _USUAL_PLAN.is_file():
        named = _USUAL_PLAN
    return None if named is None else named.absolute()


def _database(asked: Asked, setting: Setting) -> dict[str, str]:
    """What tells the processes of a shared database: the one place that holds its password."""
    try:
        if asked.database is not None:
            given = {"DATABASE": asked.database}
            return {DATABASE_VARIABLE: resolve(DatabaseRef("DATABASE"), given, _text).reveal()}
        if setting.database is not None:
            return {DATABASE_VARIABLE: resolve(setting.database, os.environ, _text).reveal()}
    except (ValueError, OSError) as error:
        where = "--database" if asked.database is not None else "storage.database in the plan"
        raise CannotStart(f"{where}: {error}", EX_CONFIG) from error
    return {}


def _text(file: str) -> str:
    return Path(file).read_text("utf-8")


def _setting(asked: Asked, file: Path | None) -> Setting:
    """What the plan says, with the options in its place where they are given.

    A plan with mistakes is no reason to stay down where one was obeyed before: control serves
    the last good one and shows what is wrong.
    """
    given = asked.state.expanduser().absolute() if asked.state else None
    if file is None:
        base = Setting(state=given or _USUAL_STATE.absolute())
    else:
        loaded = load(file, os.environ)
        if loaded.declared is not None:
            base = of_plan(loaded.declared, file)
        else:
            before = remembered(Layout(given or file.parent / _USUAL_STATE))
            if before is None:
                for problem in loaded.problems:
                    click.echo(str(problem), err=True)
                raise CannotStart("the plan is refused", EX_CONFIG)
            base = before
    if base.counts_alone and asked.gateways is not None and asked.gateways > 1:
        raise CannotStart(
            f"--gateways {asked.gateways}: each gateway would allow the whole of every limit and "
            "budget, those of keys among them; start one, or name the Redis that counts for all in "
            "`storage.limits`",
            EX_CONFIG,
        )
    return msgspec.structs.replace(
        base,
        state=given or base.state,
        gateways=asked.gateways or base.gateways,
        listen=parse_option(asked.listen, "--listen") if asked.listen else base.listen,
        control_listen=parse_option(asked.control_listen, "--control-listen")
        if asked.control_listen
        else base.control_listen,
    )
