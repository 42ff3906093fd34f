"""`tidegate prompt import` and `export`: prompts out of other tools and back."""

import sys
from pathlib import Path

import click

from tidegate.cli._prompt_source import Where, in_order, open_prompts, source_options, stop
from tidegate.core.prompt import Prompt
from tidegate.prompts import langfuse, promptfoo
from tidegate.prompts.imported import Imported, files_of, write_files
from tidegate.prompts.source import SourceError

_MAX_EXPORT_BYTES = 256 * 1024 * 1024
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option(
    "--from",
    "tool",
    type=click.Choice(["langfuse", "promptfoo"]),
    required=True,
    help="Whose export it is: prompts of Langfuse's API in JSON, or a promptfoo configuration.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("prompts"),
    show_default=True,
    help="The folder of prompts; committing it is yours.",
)
def import_prompts(file: Path, tool: str, into: Path) -> None:
    """Write the prompts of FILE as versions below a folder. What is there is never changed.

    All or nothing: exit 1, with every problem, when one of them cannot be read.
    """
    with file.open("rb") as opened:
        data = opened.read(_MAX_EXPORT_BYTES)
    imported, problems = _read(data, file, tool)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        click.echo(f"{file}: {len(problems)} cannot be imported; nothing was written", err=True)
        sys.exit(1)
    for one in imported:
        for note in one.notes:
            click.echo(f"note: {one.prompt.name}/{one.prompt.version}: {note}", err=True)
    try:
        written, same = write_files(into, files_of(imported))
    except (SourceError, ValueError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    click.echo(f"{len(written)} files written below {into}, {len(same)} there already")


def _read(data: bytes, file: Path, tool: str) -> tuple[list[Imported], list[object]]:
    if tool == "promptfoo":
        found, problems = promptfoo.read_config(data, file)
        return found, list(problems)
    records = langfuse.read_export(data, str(file))
    imported = [it for it in records if isinstance(it, Imported)]
    return imported, [it for it in records if not isinstance(it, Imported)]


@click.command("export")
@click.argument("names", nargs=-1)
@click.option("--to", "tool", type=click.Choice(["langfuse"]), required=True, help="Whose format.")
@click.option(
    "-o", "--output", type=click.File("wb"), default="-", help="Default: to the terminal."
)
@source_options
def export_prompts(where: Where, names: tuple[str, ...], tool: str, output: click.File) -> None:
    """Print every version of the prompts NAMES, or of all, for another tool."""
    prompts = open_prompts(where)
    found: list[tuple[Prompt, tuple[str, ...]]] = []
    for name in names or prompts.index.prompts:
        listed = prompts.listed(name)
        if listed.problems:
            stop(f"error: {listed.problems[0]}")
        for version in in_order(listed.versions):
            tags = tuple(tag for tag, at in listed.tags.items() if at == version)
            found.append((prompts.prompt(name, version), tags))
    click.echo(langfuse.export_prompts(found), file=output)  # type: ignore[arg-type]
