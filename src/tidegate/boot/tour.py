"""`tidegate demo`: what Tidegate holds to, shown in a minute on simulated text.

It starts a Tidegate of its own in a folder of its own, on free ports, beside whatever else runs,
lets each part of PARTS show one thing, and takes everything away again. Its status is 0 when every
part found what was promised.
"""

import asyncio
import logging
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from tidegate.boot import tour_kill, tour_money, tour_release
from tidegate.boot.child import Child, ChildSpec
from tidegate.boot.module import module_argv
from tidegate.boot.processes import Processes
from tidegate.boot.start import (
    CannotStart,
    bind,
    bound,
    local_url,
    prepare_state,
    raise_descriptor_limit,
)
from tidegate.boot.supervisor import Supervisor
from tidegate.boot.tour_stage import Failed, Part, Stage, Urls
from tidegate.control.credentials import create_state
from tidegate.core import clock
from tidegate.core.address import Listen
from tidegate.core.layout import Layout

PARTS: tuple[Part, ...] = (tour_release.PART, tour_money.PART, tour_kill.PART)

_ANY = Listen("127.0.0.1", 0)
_DRAIN_S = 2.0
_LAST_LINES = 10
_PLAN = """\
# The engine is simulated (`tidegate sim serve`); prices and budgets are as of a real one.
providers:
  sim: {{kind: sim, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}

targets:
  sim:
    provider: sim
    model: sim
    context_tokens: 8192
    price: {{input_usd_per_mtok: 2, output_usd_per_mtok: 10}}

routes:
  chat: sim

budgets:
{budgets}

control:
  loop: {{tick: 250ms, lease: 3s}}    # a release is looked at four times a second
"""


@click.command(name="demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Do it in this new directory and leave plan, ledger and logs there.",
)
def demo(keep: Path | None) -> None:
    """Show in a minute what Tidegate holds to, on simulated text.

    Nothing has to be installed or set up, and nothing is left behind: it runs beside whatever else
    runs, on ports of its own.
    """
    logging.basicConfig(format="  %(message)s", level=logging.ERROR)
    try:
        with _folder(keep) as folder:
            status = _run(folder)
    except CannotStart as error:
        click.echo(f"Error: {error}", err=True)
        status = error.status
    sys.exit(status)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="tidegate-demo-") as name:
            yield Path(name)
        return
    folder = keep.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise CannotStart(f"--keep {keep}: it is there already; name a new directory") from error
    except OSError as error:
        raise CannotStart(f"--keep {keep}: {error.strerror or error}") from error
    yield folder


def _run(folder: Path) -> int:
    layout = Layout(folder / "state")
    raise_descriptor_limit()
    prepare_state(layout)
    create_state(layout)
    engine, port = _engine(layout)
    plan = folder / "tidegate.yaml"
    budgets = "\n".join(f"  {part.budget}" for part in PARTS if part.budget)
    for name, text in (file for part in PARTS for file in part.files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    plan.write_text(_PLAN.format(port=port, budgets=budgets), "utf-8")
    with bind(_ANY, "the demo's gateway") as gateway, bind(_ANY, "the demo's control") as control:
        processes = Processes(
            layout=layout,
            plan=plan,
            gateway_host=_ANY.host,
            gateway_fd=gateway.fileno(),
            control_fd=control.fileno(),
            logs=True,
        )
        children = {"control": Child(processes.control()), "gateway": Child(processes.gateway(0))}
        stage = Stage(
            folder=folder,
            layout=layout,
            urls=Urls(
                gateway=local_url(bound(gateway), "http"),
                control=local_url(bound(control), "http"),
                engine=f"http://127.0.0.1:{port}",
            ),
            children=children,
            say=click.echo,
        )
        supervisor = Supervisor(
            children["control"], [children["gateway"]], [Child(engine)], lambda: _DRAIN_S
        )
        status, held = asyncio.run(_supervised(supervisor, partial(show, stage)))
    if status:
        click.echo(f"Error: a process refuses to run:\n{_last_words(layout)}", err=True)
    return status or int(not held)


def _last_words(layout: Layout) -> str:
    """How control's log ends: it is the one that says what is wrong."""
    try:
        lines = (layout.log / "control.log").read_text("utf-8", "replace").splitlines()
    except OSError as error:
        return f"  {error}"
    return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])


def _engine(layout: Layout) -> tuple[ChildSpec, int]:
    """The simulated engine, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as trial:
        port = int(trial.getsockname()[1])
    serve = ("serve", "--listen", f"127.0.0.1:{port}")
    argv = partial(module_argv, "tidegate.sim", serve)
    return ChildSpec("engine", argv, log=layout.log / "engine.log"), port


async def _supervised(supervisor: Supervisor, showing: Callable[[], bool]) -> tuple[int, bool]:
    """Everything runs until it was shown, or until a signal: the status of the child that refuses
    to run, or 0, and whether all of it held."""
    loop = asyncio.get_running_loop()
    held = loop.create_future()

    def shown() -> None:
        found = showing()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, held, found, supervisor)

    # A daemon: Ctrl-C ends everything, whatever a part waits for.
    threading.Thread(target=shown, name="tour", daemon=True).start()
    status = await supervisor.run()
    return status, held.done() and held.result()


def _settle(held: "asyncio.Future[bool]", found: bool, supervisor: Supervisor) -> None:
    held.set_result(found)
    supervisor.end()


def show(stage: Stage, parts: tuple[Part, ...] = PARTS) -> bool:
    """Every part in turn, whatever became of the one before; whether all of them held."""
    began_s = clock.monotonic_s()
    held = []
    try:
        stage.wait_until_serving()
    except Failed as error:
        stage.say(f"It does not come up: {error}")
        return False
    for number, part in enumerate(parts, 1):
        stage.say(f"\n{number}. {part.title}")
        try:
            held.append(part.run(stage))
        except Failed as error:
            stage.say(f"   This did not work: {error}")
            held.append(False)
        except Exception as error:
            stage.say(f"   This did not work: {type(error).__name__}: {error}")
            held.append(False)
    took_s = clock.monotonic_s() - began_s
    ending = "everything held" if all(held) else "something did not hold, see above"
    stage.say(f"\n{took_s:.0f} seconds: {ending}.")
    return all(held)
