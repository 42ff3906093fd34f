"""`tidegate prompt`: prompts in a repository or a folder, and their tags in a running house."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec
from msgspec import Raw

from tidegate.cli._prompt_diff import diff
from tidegate.cli._prompt_exchange import export_prompts, import_prompts
from tidegate.cli._prompt_lint import lint
from tidegate.cli._prompt_source import (
    Where,
    in_order,
    open_past,
    open_prompts,
    source_options,
    stop,
)
from tidegate.cli._prompt_tags import status, tag_prompt
from tidegate.cli._words import moment, pairs, table
from tidegate.core.prompt import Prompt
from tidegate.prompts.counting import counter_of
from tidegate.prompts.history import Step, history_of
from tidegate.prompts.index import PARTIALS, Listed
from tidegate.prompts.render import Renderer
from tidegate.prompts.rendered import RenderRefused

_HEAD = ("PROMPT", "VERSIONS", "NEWEST", "TAGS", "PROBLEMS")
_PAST = ("COMMIT", "WHEN", "WHO", "WHAT", "MESSAGE")
_MAX_VARIABLES_BYTES = 2 * 1024 * 1024
_MESSAGE_CHARS = 60
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group("prompt")
def plug() -> None:
    """See, render, compare and check prompts in a Git repository or a folder, offline; see and move
    the tags of a running house.

    Without --ref the working files of --repository are read, so that a version can be tried before
    it is committed. Exit 2 where nothing could be read.
    """


plug.add_command(lint)
plug.add_command(diff)
plug.add_command(import_prompts)
plug.add_command(export_prompts)
plug.add_command(status)
plug.add_command(tag_prompt)


@plug.command("list")
@source_options
@_json
def list_prompts(where: Where, as_json: bool) -> None:
    """Show the prompts that there are, with their versions and tags; exit 1 when one is broken."""
    index = open_prompts(where).index
    problems = index.all_problems()
    if as_json:
        _print_json(
            {
                "source": index.source,
                "commit": index.commit,
                "prompts": [_listed(it) for it in index.prompts.values()],
                "partials": [_listed(it) for it in index.partials.values()],
                "problems": list(map(str, problems)),
            }
        )
        sys.exit(1 if problems else 0)
    rows = [_row(it.name, it) for it in index.prompts.values()]
    rows += [_row(f"{PARTIALS}/{it.name}", it) for it in index.partials.values()]
    click.echo(table(_HEAD, rows))
    if index.commit is not None:
        click.echo(f"{index.source}, commit {index.commit[:12]}")
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    sys.exit(1 if problems else 0)


@plug.command("show")
@click.argument("name")
@click.argument("version", required=False)
@source_options
@_json
def show(where: Where, name: str, version: str | None, as_json: bool) -> None:
    """Show VERSION of the prompt NAME: a version or a tag; `stable`, or the newest, without one."""
    prompts = open_prompts(where)
    prompt = prompts.prompt(name, version)
    if as_json:
        _print_json(prompt)
        return
    for line in _shown(prompt, prompts.listed(name).tags):
        click.echo(line)


@plug.command("render")
@click.argument("name")
@click.argument("version", required=False)
@click.option("--var", "given", multiple=True, help="NAME=VALUE; JSON where it is no text.")
@click.option(
    "--variables",
    type=click.File("rb"),
    help="A JSON object of variables in a file; - reads standard input.",
)
@source_options
@_json
def render(where: Where, name: str, version: str | None, as_json: bool, **sent: Any) -> None:
    """Show the messages that a model would be asked, and how many tokens they are.

    Exit 1 where these variables do not fit the prompt.
    """
    prompt = open_prompts(where).prompt(name, version)
    variables = _variables(prompt, sent["given"], sent["variables"])
    try:
        messages = Renderer(prompt).render(variables)
    except RenderRefused as no:
        click.echo(f"{prompt.name}/{prompt.version}: {no}", err=True)
        sys.exit(1)
    counter = counter_of(prompt)
    tokens = counter.prompt(prompt, messages)
    if as_json:
        told = {"digest": prompt.digest, "messages": messages}
        _print_json({**told, "input_tokens": tokens, "exact": counter.exact})
        return
    for message in messages:
        click.echo(f"[{message.role}]\n{message.text}\n")
    click.echo(f"{tokens} tokens ({counter.named}), {prompt.name}/{prompt.version}", err=True)


@plug.command("history")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@source_options
@_json
def history(where: Where, name: str, limit: int, as_json: bool) -> None:
    """Show the commits that touched the prompt NAME, newest first: its versions, and where its
    tags were moved. LIMIT commits are looked at."""
    source, folder = open_past(where)
    steps = list(history_of(source, folder, name, limit))
    if as_json:
        _print_json(steps)
        return
    if not steps:
        stop(f"{source.name}: no commit of the last {limit} touched {folder}/{name}")
    click.echo(table(_PAST, [_step_row(it) for it in steps]))


def _listed(it: Listed) -> dict[str, Any]:
    return {"name": it.name, "versions": in_order(it.versions), "tags": it.tags}


def _row(name: str, it: Listed) -> tuple[str, ...]:
    versions = in_order(it.versions)
    tags = ", ".join(f"{tag} {version}" for tag, version in it.tags.items())
    newest = versions[-1] if versions else "-"
    return name, str(len(versions)), newest, tags or "-", str(len(it.problems) or "-")


def _shown(prompt: Prompt, tags: Mapping[str, str]) -> list[str]:
    pointing = [tag for tag, version in tags.items() if version == prompt.version]
    lines = [f"{prompt.name}/{prompt.version}", f"digest   {prompt.digest}"]
    if pointing:
        lines.append(f"tags     {', '.join(pointing)}")
    for name, values in (
        ("owner", [prompt.owner] if prompt.owner else []),
        ("models", [" ".join(filter(None, (it.model, it.snapshot))) for it in prompt.pins]),
        ("suites", prompt.suites),
        ("with", [f"{name} = {value}" for name, value in prompt.parameters]),
        ("partials", [name for name, _ in prompt.partials]),
    ):
        if values:
            lines.append(f"{name:<8} {', '.join(values)}")
    for it in prompt.inputs:
        default = "required" if it.default is None else f"default {it.default}"
        about = f"; {it.description}" if it.description else ""
        lines.append(f"input    {it.name}: {it.kind}, {default}{about}")
    for turn in prompt.turns:
        lines += ["", f"[{turn.role}]", turn.source]
    return lines


def _variables(prompt: Prompt, given: Sequence[str], file: Any) -> dict[str, Raw]:
    """What is sent: the file's, then those of the command line."""
    variables: dict[str, Raw] = {}
    if file is not None:
        data = file.read(_MAX_VARIABLES_BYTES)
        try:
            variables = msgspec.json.decode(data, type=dict[str, Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise click.BadParameter(f"no JSON object: {error}", param_hint="--variables") from None
    kinds = {it.name: it.kind for it in prompt.inputs}
    for name, value in pairs(given, "--var").items():
        is_text = kinds.get(name, "string") == "string"
        variables[name] = Raw(msgspec.json.encode(value) if is_text else value.encode())
    return variables


def _step_row(step: Step) -> tuple[str, ...]:
    it = step.moment
    done = [f"{word} {', '.join(names)}" for word, names in _changes(step) if names]
    done += [f"{tag}: {before or '-'} -> {after or '-'}" for tag, before, after in step.moved]
    message = _plain(it.message.partition("\n")[0])[:_MESSAGE_CHARS]
    when = moment(it.at_s) if 0 <= it.at_s < 1 << 40 else "?"
    who = _plain(it.author.partition(" <")[0])
    return it.id[:12], when, who, "; ".join(done) or "other files", message


def _changes(step: Step) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("new", step.added), ("CHANGED", step.changed), ("removed", step.removed)


def _plain(text: str) -> str:
    return "".join(it if it.isprintable() else "?" for it in text)


def _print_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
