"""Which two sides of a run are meant on the command line."""

from collections.abc import Callable
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from tidegate.cli._client import Control
from tidegate.cli._prompt_source import Prompts
from tidegate.cli._words import pairs
from tidegate.control.shapes_prompts import PromptView
from tidegate.core.prompt import STABLE
from tidegate.evals.side import Side, SideName

NONE: Final = "none"


class Meant(Struct, frozen=True):
    """What was said of one side. `version` is a version or a tag."""

    version: str | None
    route: str | None
    parameters: tuple[tuple[str, str], ...]


def side_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a side is made of: a prompt's version, a route, parameters."""
    options = (
        click.option("--candidate", metavar="VERSION", help="Version or tag that is tried."),
        click.option(
            "--baseline", metavar="VERSION", help="What it is compared with; `none` for nothing."
        ),
        click.option("--route", help="Route that both are asked at. Default: the prompt's only."),
        click.option("--candidate-route", metavar="ROUTE", help="Another one for the candidate."),
        click.option("--baseline-route", metavar="ROUTE", help="Another one for the baseline."),
        _parameters("--parameter", "of both sides"),
        _parameters("--candidate-parameter", "of the candidate"),
        _parameters("--baseline-parameter", "of the baseline"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _parameters(name: str, whose: str) -> Callable[..., Any]:
    return click.option(
        name, multiple=True, metavar="NAME=JSON", help=f"Member of requests {whose}. Repeatable."
    )


def meant(given: dict[str, Any]) -> tuple[Meant, Meant]:
    """Baseline and candidate as they were said."""
    both = json_pairs(given["parameter"], "--parameter")
    found = []
    for name in ("baseline", "candidate"):
        option = f"--{name}-parameter"
        own = both | json_pairs(given[f"{name}_parameter"], option)
        route = given[f"{name}_route"] or given["route"]
        found.append(Meant(given[name], route, tuple(sorted(own.items()))))
    return found[0], found[1]


def json_pairs(written: tuple[str, ...], option: str) -> dict[str, str]:
    """JSON as it is written; what is no JSON is a text."""
    found = {}
    for name, value in pairs(written, option).items():
        try:
            msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = msgspec.json.encode(value).decode()
        else:
            found[name] = value
    return found


def sides_of(
    said: tuple[Meant, Meant], name: str | None, prompts: Prompts | None, control: Control
) -> dict[SideName, Side]:
    """The sides, read; without a baseline there is one."""
    before, after = said
    if name is not None and (before.route is None or after.route is None):
        usual = _only_route(name, control)
        before = msgspec.structs.replace(before, route=before.route or usual)
        after = msgspec.structs.replace(after, route=after.route or usual)
    found: dict[SideName, Side] = {}
    if before.version != NONE:
        found["baseline"] = _side(before, name, prompts)
    found["candidate"] = _side(after, name, prompts)
    if "baseline" in found and found["baseline"].digest() == found["candidate"].digest():
        raise click.UsageError(
            f"both sides are {found['candidate']}: name another version, route or parameter"
        )
    return found


def _side(said: Meant, name: str | None, prompts: Prompts | None) -> Side:
    if said.route is None:
        raise click.UsageError("say which --route is asked")
    if name is None or prompts is None:
        if said.version is not None:
            raise click.UsageError("the suite names no prompt: say which, with --prompt")
        return Side(said.route, None, said.parameters)
    prompt = prompts.prompt(name, said.version or STABLE)
    return Side(said.route, prompt, said.parameters)


def _only_route(name: str, control: Control) -> str:
    """The one route that is asked by the prompt."""
    routes = control.get(f"/api/prompts/{name}", PromptView).routes
    if len(routes) != 1:
        told = ", ".join(routes) or "no route"
        raise click.UsageError(f"{told} is asked by the prompt {name}: say which, with --route")
    [only] = routes
    return only
