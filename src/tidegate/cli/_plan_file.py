"""How commands that read a plan file are told which."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tidegate.config.load import DEFAULT_FILE

_PATH = click.Path(path_type=Path)


def plan_file(command: Callable[..., Any]) -> Callable[..., Any]:
    """The parameter `file`: the argument FILE, or `-f FILE`; `tidegate.yaml` without either."""
    argument = click.argument("file", type=_PATH, required=False, callback=_file)
    option = click.option(
        "-f",
        "--file",
        "named",
        type=_PATH,
        is_eager=True,
        expose_value=False,
        callback=_keep,
        help=f"The plan file, the same as FILE.  [default: {DEFAULT_FILE}]",
    )
    return argument(option(command))


def _keep(context: click.Context, _option: click.Parameter, value: Path | None) -> None:
    context.meta[__name__] = value


def _file(context: click.Context, argument: click.Parameter, value: Path | None) -> Path:
    named: Path | None = context.meta.get(__name__)
    if value is not None and named is not None:
        raise click.BadParameter("given twice, as an argument and with -f", context, argument)
    return value or named or Path(DEFAULT_FILE)
