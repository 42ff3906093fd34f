"""When a provider's figures of its tokens are not believed. They are marked, never repaired."""

from typing import Final

from tidegate.core.ask import Usage

# No request of today's models comes near; beyond it a figure is noise.
MAX_PLAUSIBLE_TOKENS: Final = 100_000_000

CONFLICT: Final = Usage(conflict=True)


def are_plausible(*figures: int | None) -> bool:
    """Each is unknown, or a number of tokens that some answer may have."""
    for figure in figures:
        if figure is not None and not 0 <= figure <= MAX_PLAUSIBLE_TOKENS:
            return False
    return True


def has_no_output(usage: Usage) -> bool:
    """It tells 0 output tokens, which cannot be true where content was seen."""
    return usage.output_tokens == 0 and not usage.reasoning_tokens
