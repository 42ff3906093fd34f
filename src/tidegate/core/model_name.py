"""A model's name as its maker gave it, whoever serves it."""

import re
from typing import Final

# What AWS Bedrock puts before it: a region or `global`, and the maker.
_BEDROCK = re.compile(r"(?:[a-z-]+\.)?(?:anthropic|openai|amazon)\.")


def plain_name(model: str) -> str:
    """`model` without an account's or a maker's path, and without a cloud's prefix."""
    name = model.rpartition("/")[2]
    prefix = _BEDROCK.match(name)
    return name if prefix is None else name[prefix.end() :]


# Names of one maker's models that begin with another word than the family's.
_FAMILIES: Final = {
    **dict.fromkeys(("chatgpt", "o", "davinci", "babbage", "codex"), "gpt"),
    **dict.fromkeys(("mixtral", "ministral", "codestral", "magistral", "devstral"), "mistral"),
    **dict.fromkeys(("gemma", "palm"), "gemini"),
    **dict.fromkeys(("qwq", "qvq"), "qwen"),
    "codellama": "llama",
}
_FIRST_WORD: Final = re.compile(r"(?:meta[.-])?([a-z]+)")


def family(model: str) -> str | None:
    """Whose kind `model` is by its name, such as `gpt` of `gpt-4o-2024-08-06` and of `o3-mini`;
    None where its name begins with no word."""
    found = _FIRST_WORD.match(plain_name(model).lower())
    return None if found is None else _FAMILIES.get(found[1], found[1])
