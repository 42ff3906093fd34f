"""The console script `tidegate`: every command of `cli`, and those that start processes."""

from tidegate.boot.tour import demo
from tidegate.boot.up import up
from tidegate.cli import commands


def main() -> None:
    """Run the command that the process's arguments name."""
    group = commands()
    group.add_command(demo)
    group.add_command(up)
    group()
