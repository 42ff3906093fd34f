import msgspec
from click.testing import CliRunner

from tidegate.cli.schema import plug
from tidegate.config.schema import reference, schema


def test_the_schema_is_printed_as_json():
    result = CliRunner().invoke(plug)
    assert result.exit_code == 0
    assert msgspec.json.decode(result.stdout) == schema()


def test_the_reference_is_printed_as_markdown():
    assert CliRunner().invoke(plug, ["--markdown"]).stdout == reference() + "\n"
