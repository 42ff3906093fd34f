"""The one suite that a command is about."""

from pathlib import Path

import click
from msgspec.structs import replace

from tidegate.core.words import nearest, quoted
from tidegate.evals.load import load_suites
from tidegate.evals.suite import Suite


def read_suite(file: Path, name: str | None = None, repeats: int | None = None) -> Suite:
    """Read from a file that any tool wrote; click.ClickException says all that is wrong with it."""
    loaded = load_suites(file)
    if loaded.problems:
        told = "\n  ".join(map(str, loaded.problems[:20]))
        raise click.ClickException(f"{file} cannot be run:\n  {told}")
    by_name = {it.name: it for it in loaded.suites}
    if name is None:
        if len(by_name) != 1:
            raise click.UsageError(f"{file} holds {', '.join(by_name) or 'no suite'}: say --suite")
        [name] = by_name
    found = by_name.get(name)
    if found is None:
        raise click.UsageError(f"{file} has no suite {quoted(name)}{nearest(name, by_name)}")
    return found if repeats is None else replace(found, repeats=repeats)
