"""The keys of the front matter."""

from tidegate.config.schema import reference
from tidegate.config.shape import Record, shape_of
from tidegate.prompts.front_matter import FrontMatter


def test_every_key_has_a_description() -> None:
    shape = shape_of(FrontMatter)
    assert isinstance(shape, Record)
    assert all(key.description for key in shape.keys)
    assert "| `models` |" in reference(FrontMatter)
