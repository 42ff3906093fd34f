"""The console script's commands."""

from click.testing import CliRunner

from tidegate.boot.up import up
from tidegate.cli import commands


def test_every_command_of_the_folder_and_up_are_there_and_say_what_they_do() -> None:
    group = commands()
    group.add_command(up)
    ctx = group.make_context("tidegate", ["key"], resilient_parsing=True)
    found = group.list_commands(ctx)
    assert {"up", "key", "receipts", "try", "check"} <= set(found)
    for name in found:
        said = CliRunner().invoke(group, [name, "--help"])
        assert said.exit_code == 0, said.output
        assert "Usage:" in said.output


def test_a_command_that_is_not_there_is_an_error_of_one_line() -> None:
    said = CliRunner().invoke(commands(), ["nowhere"])
    assert said.exit_code == 2
    assert "No such command 'nowhere'" in said.output
