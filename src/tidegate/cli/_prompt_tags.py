"""`tidegate prompt tag` and `status`: where the tags of a running house point, and moving one."""

import sys
from pathlib import Path

import click

from tidegate.cli._client import control_options, open_control
from tidegate.cli._words import moment, table
from tidegate.control.shapes_prompts import Flipped, NewFlip, PromptList, PromptView, TagView

_HEAD = ("PROMPT", "TAG", "VERSION", "TAGS.YAML", "MOVED", "ROUTES")


@click.command("status")
@control_options
def status(state: Path | None, control: str | None) -> None:
    """Show where tags point in what is served, who moved them since they were written in
    `tags.yaml`, and what is wrong with the prompts as they lie there; exit 1 when anything is."""
    found = open_control(state, control).get("/api/prompts", PromptList)
    if found.repository is None:
        click.echo("The plan file does not say where prompts are read from: write `prompts`.")
        return
    rows = [_row(prompt, tag) for prompt in found.prompts for tag in prompt.tags]
    rows += [(it.name, "-", "-", "-", "-", "-") for it in found.prompts if not it.tags]
    click.echo(table(_HEAD, rows))
    commit = "" if found.commit is None else f", commit {found.commit[:12]}"
    click.echo(f"{found.repository}{commit}")
    for problem in found.problems:
        click.echo(f"error: {problem}", err=True)
    if found.problems:
        click.echo("what was read before serves on", err=True)
        sys.exit(1)


@click.command("tag")
@click.argument("name")
@click.argument("tag")
@click.argument("version", required=False)
@click.option("--remove", is_flag=True, help="Take the tag away.")
@click.option(
    "--uncertified", is_flag=True, help="Move `stable` without a certificate; kept with the reason."
)
@click.option("--reason", required=True, help="Why.")
@control_options
def tag_prompt(
    state: Path | None, control: str | None, name: str, tag: str, **given: object
) -> None:
    """Point TAG of the prompt NAME at VERSION, in every gateway, before this returns.

    It stands until `tags.yaml` says another version than it says now; write it there too. Exit 1
    where a gateway does not obey it yet.
    """
    version = given["version"]
    if (version is None) is not bool(given["remove"]):
        raise click.UsageError("say which VERSION, or --remove")
    asked = NewFlip(
        None if version is None else str(version),
        str(given["reason"]),
        uncertified=bool(given["uncertified"]),
    )
    made = open_control(state, control).post(f"/api/prompts/{name}/tags/{tag}", Flipped, asked)
    flip = made.flip
    where = "is gone" if flip.version is None else f"points at {flip.version}"
    said = "" if flip.base is None else f"; tags.yaml says {flip.base}"
    click.echo(f"{name}: {tag} {where} ({flip.id}){said}")
    if made.waiting_for:
        click.echo(f"not obeyed yet by {', '.join(made.waiting_for)}", err=True)
        sys.exit(1)


def _row(prompt: PromptView, tag: TagView) -> tuple[str, ...]:
    routes = [name for name, version in prompt.routes.items() if version == tag.version]
    moved = "-"
    if tag.flip is not None:
        flip = tag.flip
        moved = f"{moment(flip.at_s)} by {flip.author.partition(':')[2]}: {flip.reason}"
    declared = "=" if tag.flip is None and tag.declared is None else tag.declared or "-"
    return prompt.name, tag.tag, tag.version, declared, moved, ", ".join(routes) or "-"
