"""What Claude asks of a conversation, wherever it is hosted: on Anthropic's API and on Bedrock."""

from typing import Final, NamedTuple

from tidegate.core.conversation import (
    Conversation,
    Effort,
    Reasoning,
    Text,
    Thinking,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.providers._anthropic_models import Samples

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
# What may be sampled from while it thinks.
LEAST_TOP_P_OF_THOUGHT: Final = 0.95
_FORCED: Final = frozenset({"any", "named"})


def placed(said: Conversation, *, takes_system_turns: bool) -> tuple[list[Text], list[Turn]]:
    """Instructions, and turns. One in the middle stands with the first ones where the model takes
    none there."""
    later = [part for turn in said.turns if turn.role == "system" for part in turn.parts]
    if takes_system_turns or not later:
        return said.instructions, said.turns
    texts = [part for part in later if isinstance(part, Text)]
    return said.instructions + texts, [turn for turn in said.turns if turn.role != "system"]


def lacks_thoughts(said: Conversation) -> bool:
    """The model is to go on after calls of its own whose reasoning the caller did not keep: told by
    a budget to think, it would refuse. Before the first of them it has thought, if at all."""
    if not said.turns or not _answers(said.turns[-1]):
        return False
    called: Turn | None = None
    for turn in reversed(said.turns):
        if turn.role == "assistant":
            called = turn
        elif turn.role == "user" and not _answers(turn):
            break
    return called is not None and not any(
        isinstance(part, Reasoning) and part.wire == "anthropic" for part in called.parts
    )


def _answers(turn: Turn) -> bool:
    return any(isinstance(part, ToolResult) for part in turn.parts)


def must_call(said: Conversation) -> bool:
    """Some tool has to be called, and a model that must call one may not think."""
    return bool(said.tools) and said.tool_choice is not None and said.tool_choice.mode in _FORCED


def stops(said: list[str], losses: Losses) -> list[str]:
    """The stop sequences that it takes: each must have something to be seen."""
    if not said:
        return said
    kept = [one for one in said if one.strip()]
    if any(one and not one.strip() for one in said):
        losses.lose("stop")
    return kept


class Sampling(NamedTuple):
    temperature: float | None
    top_p: float | None
    top_k: int | None


_UNTOLD: Final = Sampling(None, None, None)


def sampling(said: Conversation, how: Samples, losses: Losses, *, thinks: bool) -> Sampling:
    """What the model may be told of how to sample. A temperature and a top_p of 1 are what happens
    without them."""
    temperature, top_p, top_k = said.temperature, said.top_p, said.top_k
    if temperature is None and top_p is None and top_k is None:
        return _UNTOLD
    fixed = how == "never" or (thinks and how != "freely")
    if temperature is not None and (temperature > 1 or (fixed and temperature != 1)):
        losses.lose("temperature")
        temperature = None
    if fixed and temperature == 1:
        temperature = None
    if top_k is not None and fixed:
        losses.lose("top_k")
        top_k = None
    together = how == "one" and temperature is not None
    if top_p is not None and how != "freely":
        least = LEAST_TOP_P_OF_THOUGHT if thinks else 0.0
        if top_p != 1 and (how == "never" or together or top_p < least):
            losses.lose("top_p")
            top_p = None
        elif top_p == 1:
            top_p = None
    return Sampling(temperature, top_p, top_k)


def budget_tokens(wanted: Thinking, ceiling_tokens: int | None) -> int:
    """How much it may think, in a budget of its own below the ceiling: what the caller says, else
    what the effort is worth, and no more than half of the answer."""
    tokens = wanted.budget_tokens
    if tokens is None:
        tokens = BUDGETS_TOKENS[wanted.effort or "medium"]
        if ceiling_tokens is not None:
            tokens = min(tokens, max(LEAST_BUDGET_TOKENS, ceiling_tokens // 2))
    return tokens if ceiling_tokens is None else min(tokens, ceiling_tokens - 1)
