"""`tidegate eval export`: a suite as another tool has it."""

import sys
from pathlib import Path

import click

from tidegate.cli._eval_suite import read_suite
from tidegate.evals.openai_out import write_openai
from tidegate.evals.promptfoo_out import write_promptfoo
from tidegate.evals.pydantic_out import write_pydantic
from tidegate.evals.written_suite import NoPlace

_FILE = click.Path(path_type=Path)
_TOOLS = {"promptfoo": write_promptfoo, "pydantic": write_pydantic, "openai": write_openai}


@click.command()
@click.argument("file", type=_FILE)
@click.option("--suite", "name", help="Which one, where the file holds several.")
@click.option(
    "--as",
    "tool",
    type=click.Choice(list(_TOOLS)),
    default="promptfoo",
    show_default=True,
    help="A configuration of promptfoo's, a data set of pydantic-evals, OpenAI's registry.",
)
@click.option(
    "-o",
    "--output",
    type=_FILE,
    help="Where it is written; of OpenAI's the registry's folder. Default: here.",
)
def export(file: Path, name: str | None, tool: str, output: Path | None) -> None:
    """Write the suite of FILE for another tool.

    Read again it is the same suite. What the other tool has no place for is told on standard error;
    exit 1 when it has none for any of it.
    """
    suite = read_suite(file, name)
    if tool == "openai" and output is None:
        raise click.UsageError("OpenAI's registry is a folder: name it, with --output")
    try:
        written = _TOOLS[tool](suite)
    except NoPlace as no:
        click.echo(f"{file}: nothing of it can be said there: {no}", err=True)
        sys.exit(1)
    if output is None:
        click.echo(written.text, nl=False)
    elif tool == "openai":
        _write(output, {f"evals/{suite.name}.yaml": written.text, **written.files})
    else:
        _write(output.parent, {output.name: written.text})
    for what in written.left_out:
        click.echo(f"left out: {what}", err=True)


def _write(folder: Path, files: dict[str, str]) -> None:
    for place, text in files.items():
        path = folder / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise click.ClickException(f"{path}: {error}") from error
