"""`tidegate schema`: the plan file's JSON Schema, for editors."""

import click
import msgspec

from tidegate.config.schema import reference, schema


@click.command("schema")
@click.option("--markdown", is_flag=True, help="A table of every key instead.")
def plug(markdown: bool) -> None:
    """Print the JSON Schema (draft 2020-12) of the plan file."""
    if markdown:
        click.echo(reference())
        return
    click.echo(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode())
