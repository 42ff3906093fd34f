"""The command line: one file a noun, found by being there.

A file holds `plug`, a command whose own name is what is typed; the file is named the same where
the language allows. A command is loaded when it is asked for, so none pays for the others.
"""

import click

from tidegate.core import plugs


class Commands(click.Group):
    """Commands that lie in this folder or in third parties' packages, beside those added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._found()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        added = super().get_command(ctx, cmd_name)
        if added is not None:
            return added
        file = cmd_name.replace("-", "_")
        if file in plugs.names("cli"):
            command = _load(file)
            if command.name == cmd_name:
                return command
        return self._found().get(cmd_name)

    def _found(self) -> dict[str, click.Command]:
        commands = (_load(name) for name in plugs.names("cli"))
        return {command.name: command for command in commands if command.name}


def _load(name: str) -> click.Command:
    try:
        command = plugs.load("cli", name)
    except plugs.PlugError as error:
        raise click.ClickException(str(error)) from error
    if not isinstance(command, click.Command):
        raise click.ClickException(f"cli: {name} holds no command in `plug`")
    return command


def commands() -> Commands:
    """The group of every command that works without starting a process."""
    return Commands(
        name="tidegate",
        help="An LLM gateway with the operations loop inside.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
