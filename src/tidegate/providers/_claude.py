"""What Claude asks of a conversation, wherever it is hosted: on Anthropic's API and on Bedrock."""

from typing import Final

from tidegate.core.conversation import (
    Conversation,
    Effort,
    Reasoning,
    Text,
    Thinking,
    ToolResult,
    Turn,
)

# What models that do not know an effort may think instead; 1,024 is the least there is.
LEAST_BUDGET_TOKENS: Final = 1024
BUDGETS_TOKENS: Final[dict[Effort, int]] = {
    "minimal": LEAST_BUDGET_TOKENS,
    "low": LEAST_BUDGET_TOKENS,
    "medium": 4096,
    "high": 16_384,
    "xhigh": 32_000,
    "max": 32_000,
}


def placed(said: Conversation, *, takes_system_turns: bool) -> tuple[list[Text], list[Turn]]:
    """Instructions, and turns. One in the middle stands with the first ones where the model takes
    none there."""
    later = [part for turn in said.turns if turn.role == "system" for part in turn.parts]
    if takes_system_turns or not later:
        return said.instructions, said.turns
    texts = [part for part in later if isinstance(part, Text)]
    return said.instructions + texts, [turn for turn in said.turns if turn.role != "system"]


def lacks_thoughts(said: Conversation) -> bool:
    """The model is to go on after a call of its own whose reasoning the caller did not keep: told
    to think, it would refuse."""
    turns = said.turns
    if not turns or not any(isinstance(part, ToolResult) for part in turns[-1].parts):
        return False
    called = next((turn for turn in reversed(turns) if turn.role == "assistant"), None)
    return called is not None and not any(
        isinstance(part, Reasoning) and part.wire == "anthropic" for part in called.parts
    )


def budget_tokens(wanted: Thinking, ceiling_tokens: int | None) -> int:
    """How much it may think, in a budget of its own below the ceiling: what the caller says, else
    what the effort is worth, and no more than half of the answer."""
    tokens = wanted.budget_tokens
    if tokens is None:
        tokens = BUDGETS_TOKENS[wanted.effort or "medium"]
        if ceiling_tokens is not None:
            tokens = min(tokens, max(LEAST_BUDGET_TOKENS, ceiling_tokens // 2))
    return tokens if ceiling_tokens is None else min(tokens, ceiling_tokens - 1)
