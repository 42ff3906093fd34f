"""A prompt as a file is the same prompt when it is read again."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from tests.prompts.prompts import prompts

from tidegate.core.prompt import Prompt
from tidegate.prompts.read import build, read_version
from tidegate.prompts.write import file_text, flow


@given(prompts())
def test_written_and_read_again_it_is_the_same(prompt: Prompt) -> None:
    text = file_text(prompt)
    read = read_version(text.encode(), "f")
    assert not read.problems, ([str(it) for it in read.problems], text)
    again = build(prompt.name, prompt.version, read, dict(prompt.partials))
    assert again.digest == prompt.digest
    assert again == prompt


@pytest.mark.parametrize(
    "value", [1e16, 1e-7, 1.5e300, -0.0, 10**17, "1e5", "null", "~", "<<", "\x85"]
)
def test_values_that_yaml_would_take_for_others(value: Any) -> None:
    text = f"---\nparameters: {{a: {flow(value)}, b: {flow({'k': [value]})}}}\n---\nx"
    read = read_version(text.encode(), "f")
    assert not read.problems
    found = msgspec.json.decode(read.front.parameters["a"] or "")
    assert (found, type(found)) == (value, type(value))
