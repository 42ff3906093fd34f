"""`tidegate sim serve`: the simulated engine as a process."""

import asyncio
import os
import signal
from pathlib import Path

import click
import msgspec
import uvloop

from tidegate.capacity.profiles import PROFILES, Profile, profile
from tidegate.sim import script
from tidegate.sim.embed import DEFAULT_DIMENSIONS
from tidegate.sim.options import Options
from tidegate.sim.server import Running
from tidegate.sim.server import serve as serve_engine

DEFAULT_PORT = 8190


async def _run(options: Options, parent_fd: int | None) -> None:
    running: Running = await serve_engine(options)
    click.echo(f"ready http://{running.host}:{running.port}")
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if parent_fd is not None:
        loop.add_reader(parent_fd, _read_parent, parent_fd, ended)
    await ended.wait()
    await running.close()


def _read_parent(parent_fd: int, ended: asyncio.Event) -> None:
    """The pipe ends when whoever started us is gone."""
    if not os.read(parent_fd, 4096):
        ended.set()


def _address(listen: str | None, host: str, port: int) -> tuple[str, int]:
    if listen is None:
        return host, port
    name, colon, number = listen.rpartition(":")
    if not colon or not number.isdigit():
        raise click.BadParameter(f"{listen!r} is not HOST:PORT", param_hint="--listen")
    return name.strip("[]"), int(number)


def _profile(name: str, context: int | None, kv_blocks: int | None) -> Profile:
    chosen = profile(name)
    changes = {"max_model_len": context, "kv_blocks": kv_blocks}
    given = {key: value for key, value in changes.items() if value is not None}
    return msgspec.structs.replace(chosen, **given)


@click.command("serve")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="0 takes any free port.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--listen", metavar="HOST:PORT", help="In place of --host and --port.")
@click.option("--profile", "profile_name", default="tiny", type=click.Choice(list(PROFILES)))
@click.option("--model", "models", multiple=True, help="A name it answers to; may be repeated.")
@click.option("--context", type=click.IntRange(1), help="Longest prompt and output, in tokens.")
@click.option("--kv-blocks", type=click.IntRange(1), help="KV memory, in blocks of 16 tokens.")
@click.option("--seed", default=1, show_default=True)
@click.option("--speed", default=1.0, show_default=True, help="Engine seconds a second.")
@click.option("--output-tokens", type=click.IntRange(1), help="Fixes the length of every answer.")
@click.option("--dimensions", default=DEFAULT_DIMENSIONS, show_default=True)
@click.option("--api-key-env", metavar="NAME", help="Require the key in this variable.")
@click.option("--faults", type=click.Path(path_type=Path, exists=True), help="A script, in YAML.")
@click.option("--fault", "lines", multiple=True, help="A cue, such as 'cut after=3 every=5'.")
@click.option("--allow-fault-header", is_flag=True, help="Obey the header x-sim-fault.")
@click.option("--parent-fd", type=int, hidden=True)
def serve(**given: object) -> None:
    """Serve the engine that needs no GPU: OpenAI endpoints, vLLM's metrics, faults on demand."""
    options = _options(msgspec.convert(given, _Given))
    parent_fd = given["parent_fd"]
    try:
        uvloop.run(_run(options, parent_fd if isinstance(parent_fd, int) else None))
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {options.host}:{options.port}: {error}"
        ) from None


class _Given(msgspec.Struct):
    """The options as they were typed."""

    port: int
    host: str
    listen: str | None
    profile_name: str
    models: tuple[str, ...]
    context: int | None
    kv_blocks: int | None
    seed: int
    speed: float
    output_tokens: int | None
    dimensions: int
    api_key_env: str | None
    faults: Path | None
    lines: tuple[str, ...]
    allow_fault_header: bool


def _options(given: _Given) -> Options:
    """The engine's options. click.ClickException when they do not fit together."""
    if given.speed <= 0:
        raise click.BadParameter("must be above 0", param_hint="--speed")
    host, port = _address(given.listen, given.host, given.port)
    try:
        cues = [] if given.faults is None else script.load(given.faults)
        cues += [script.parse_line(line) for line in given.lines]
    except script.ScriptError as error:
        raise click.ClickException(str(error)) from None
    key = None
    if given.api_key_env is not None:
        key = os.environ.get(given.api_key_env)
        if not key:
            raise click.ClickException(f"the variable {given.api_key_env} is not set")
    return Options(
        host=host,
        port=port,
        profile=_profile(given.profile_name, given.context, given.kv_blocks),
        models=given.models or ("sim",),
        seed=given.seed,
        speed=given.speed,
        output_tokens=given.output_tokens,
        dimensions=given.dimensions,
        faults=tuple(cues),
        allow_fault_header=given.allow_fault_header,
        api_key=key,
    )
