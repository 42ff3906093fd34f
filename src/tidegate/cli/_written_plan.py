"""A plan that was imported, written whole with the secrets that it names, or not at all."""

import os
from pathlib import Path

import click

from tidegate.config.written_plan import Converted


def write_plan(converted: Converted, out: Path) -> None:
    """The plan last, and secrets in files that nobody else may read. Nothing is written over; what
    is killed in between is done again. click.ClickException, with nothing left of it."""
    made: list[Path] = []
    try:
        if out.exists():
            raise FileExistsError
        for name, secret in converted.secrets.items():
            file = out.parent / name  # its name tells what it holds
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                _create(file, secret, 0o600)
                made.append(file)
        _create(out, converted.plan, 0o644)
    except OSError as error:
        for file in made:
            file.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise click.ClickException(f"{out} is there already: write it elsewhere") from error
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error


def _create(file: Path, text: str, mode: int) -> None:
    """At its place only once it is whole."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)  # of one that was killed
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(part, flags, mode), "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        if file.exists():
            raise FileExistsError
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
