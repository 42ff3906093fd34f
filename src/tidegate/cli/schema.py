"""`tidegate schema`: the plan file's JSON Schema, for editors."""

import click
import msgspec

from tidegate.config.schema import schema


@click.command("schema")
def plug() -> None:
    """Print the JSON Schema (draft 2020-12) of the plan file."""
    click.echo(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode())
