"""What of Anthropic's models has to be known to write them a request: their ceilings and their age.

Anthropic wants a ceiling on the output with each request, and its models differ in how they are
told to think and where an instruction may stand.
"""

import re
from typing import Final, Literal

# How a model may be told to sample. `freely`: it is none of Claude's. `claude`: unless it thinks.
# `one`: nor by temperature and top_p together. `never`.
Samples = Literal["freely", "claude", "one", "never"]

# The most that a model writes, by the beginning of its name, as Anthropic has published it.
_CEILINGS: Final = (
    ("claude-3-5", 8_192),
    ("claude-3-7", 64_000),
    ("claude-3", 4_096),
    ("claude-opus-4-0", 32_000),
    ("claude-opus-4-1", 32_000),
    ("claude-opus-4-2025", 32_000),
)
_LATER_CEILING: Final = 64_000
_UNKNOWN_CEILING: Final = 4_096
_VERSION: Final = re.compile(r"claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?(?!\d)")
_OLDEST: Final = (0, 0)


def ceiling_tokens(model: str) -> int:
    """What to send as the ceiling where the caller and we have none."""
    name = _plain(model)
    for start, most in _CEILINGS:
        if name.startswith(start):
            return most
    return _LATER_CEILING if _version(name) >= (4, 0) else _UNKNOWN_CEILING


def thinks_by_effort(model: str) -> bool:
    """It is told how hard to think; the ones before it, how many tokens they may think."""
    return _version(_plain(model)) >= (4, 6)


def takes_budgets(model: str) -> bool:
    """It may be told how many tokens to think; later ones refuse that."""
    return _version(_plain(model)) < (4, 7)


def always_thinks(model: str) -> bool:
    """It refuses to be told not to think."""
    name = _plain(model)
    if name.startswith(("claude-fable", "claude-mythos")):
        return True
    return name.startswith("claude-opus") and _version(name) >= (5, 5)


def samples(model: str) -> Samples:
    name = _plain(model)
    version = _version(name)
    if version >= (4, 7):
        return "never"
    if version >= (4, 1):
        return "one"
    return "claude" if name.startswith("claude") else "freely"


def takes_system_turns(model: str) -> bool:
    """An instruction may stand in the middle of its conversation."""
    return _version(_plain(model)) >= (4, 8)


def least_cached_tokens(model: str, *, on_bedrock: bool = False) -> int | None:
    """A shorter beginning of a prompt is not cached; None where nothing is, or nobody knows.
    https://docs.claude.com/en/docs/build-with-claude/prompt-caching"""
    name = _plain(model)
    version = _version(name)
    if version < (4, 0):
        # On Bedrock earlier ones refuse a cache point.
        if not name.startswith("claude-3-7" if on_bedrock else "claude-3"):
            return None
        return 2048 if "haiku" in name else 1024
    if version >= (4, 5) and "sonnet" not in name:
        return 4096
    return 2048 if version >= (4, 6) else 1024


def caches_for_an_hour(model: str, *, on_bedrock: bool) -> bool:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html"""
    return not on_bedrock or _version(_plain(model)) >= (4, 5)


def _plain(model: str) -> str:
    """The name without what other clouds put before it: `us.anthropic.claude-...`."""
    return model[max(model.find("claude"), 0) :]


def _version(name: str) -> tuple[int, int]:
    match = _VERSION.match(name)
    return _OLDEST if match is None else (int(match[1]), int(match[2] or 0))
