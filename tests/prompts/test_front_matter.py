"""The keys of the front matter."""

from tidegate.config.schema import reference
from tidegate.prompts.front_matter import SHAPE, FrontMatter


def test_every_key_has_a_description() -> None:
    assert all(key.description for key in SHAPE.keys)
    assert "| `models` |" in reference(FrontMatter)
