"""`tidegate schema`: the JSON Schemas of the plan file and of releases' files, for editors."""

import click
import msgspec

from tidegate.config.schema import reference, schema
from tidegate.core.declared import Declared
from tidegate.core.declared_rollout import DeclaredRollout


@click.command("schema")
@click.option("--markdown", is_flag=True, help="A table of every key instead.")
@click.option("--release", is_flag=True, help="Of a release's file instead of the plan file.")
def plug(markdown: bool, release: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of the plan file."""
    file = DeclaredRollout if release else Declared
    if markdown:
        click.echo(reference(file))
        return
    click.echo(msgspec.json.format(msgspec.json.encode(schema(file)), indent=2).decode())
