"""`tidegate cache`: the group that tiers join."""

from tidegate.cli.cache import plug


def test_a_tier_s_commands_are_its_own() -> None:
    assert {"prefix", "unstable"} <= set(plug.commands)
    assert all(command.help for command in plug.commands.values())
