from click.testing import CliRunner

from tidegate.cli import commands


def test_the_engine_is_found_under_its_noun():
    result = CliRunner().invoke(commands(), ["sim", "serve", "--help"])
    assert result.exit_code == 0
    assert "--allow-fault-header" in result.output
