"""A model's name as its maker gave it, whoever serves it."""

import re
from collections.abc import Mapping
from typing import Final

# What AWS Bedrock puts before it: a region or `global`, and the maker.
_LETTERS = re.compile(r"(?:meta[-.])?([a-z]+)")
# Whose first letters say less than their makers' other models'.
_KIN: Final[Mapping[str, str]] = {"o": "gpt", "chatgpt": "gpt", "codestral": "mistral"}
_BEDROCK = re.compile(r"(?:[a-z-]+\.)?(?:anthropic|openai|amazon)\.")


def plain_name(model: str) -> str:
    """`model` without an account's or a maker's path, and without a cloud's prefix."""
    name = model.rpartition("/")[2]
    prefix = _BEDROCK.match(name)
    return name if prefix is None else name[prefix.end() :]


def family(model: str) -> str:
    """What models of one maker's line have in common, such as `gpt` or `qwen`; the whole name where
    it begins with no letter."""
    name = plain_name(model).lower()
    found = _LETTERS.match(name)
    return name if found is None else _KIN.get(found[1], found[1])
