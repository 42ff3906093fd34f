"""A model's name as its maker gave it, whoever serves it."""

import re

# What AWS Bedrock puts before it: a region or `global`, and the maker.
_BEDROCK = re.compile(r"(?:[a-z-]+\.)?(?:anthropic|openai|amazon)\.")


def plain_name(model: str) -> str:
    """`model` without an account's or a maker's path, and without a cloud's prefix."""
    name = model.rpartition("/")[2]
    prefix = _BEDROCK.match(name)
    return name if prefix is None else name[prefix.end() :]
