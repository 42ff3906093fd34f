"""How much a model on Bedrock is to think: in Converse's own effort, or in the family's words."""

from typing import Any, Final, NamedTuple

from tidegate.core.conversation import Conversation, Effort, Reasoning, Thinking, ToolResult
from tidegate.core.losses import Losses
from tidegate.providers._bedrock_models import Traits

# Budgets in tokens for an effort, where only a budget is understood; 1,024 is the least there is.
LEAST_BUDGET_TOKENS: Final = 1024
BUDGETS_TOKENS: Final[dict[Effort, int]] = {
    "minimal": LEAST_BUDGET_TOKENS,
    "low": LEAST_BUDGET_TOKENS,
    "medium": 4096,
    "high": 16_384,
    "xhigh": 32_000,
    "max": 32_000,
}
_NEAREST_OF_THREE: Final[dict[Effort, Effort]] = {
    "minimal": "low",
    "xhigh": "high",
    "max": "high",
}

Fields = dict[str, Any]


class Limits(NamedTuple):
    """What is known of the model, and the most tokens that its answer may have."""

    traits: Traits
    ceiling_tokens: int | None


def think(said: Conversation, fields: Fields, losses: Losses, limits: Limits) -> Effort | None:
    """Adds the family's own words to `fields`; the effort that Converse is to be told, if any."""
    wanted, thinks = said.thinking, limits.traits.thinks
    if wanted is None:
        return None
    if thinks in ("budget", "adaptive"):
        if wanted.enabled and _lacks_thoughts(said):
            losses.note("thinking")
            return None
        return _claude(wanted, fields, losses, limits)
    if wanted.budget_tokens is not None:
        losses.lose("budget_tokens")
    if thinks == "converse":
        return _nearest(wanted.effort) if wanted.enabled else None
    if thinks == "openai":
        effort = _nearest(wanted.effort) if wanted.enabled else "none"
        if effort is not None:
            fields["reasoning"] = {"effort": effort}
    elif thinks == "nova":
        fields["reasoningConfig"] = (
            {"type": "enabled", "maxReasoningEffort": _of_three(wanted.effort)}
            if wanted.enabled
            else {"type": "disabled"}
        )
    elif thinks == "flat" and wanted.enabled:
        fields["reasoning_effort"] = _of_three(wanted.effort)
    elif wanted.enabled or thinks == "flat":
        losses.lose("thinking")
    return None


def _lacks_thoughts(said: Conversation) -> bool:
    """The model is to go on after a call of its own whose reasoning the caller did not keep: told
    to think, it would refuse."""
    turns = said.turns
    if not turns or not any(isinstance(part, ToolResult) for part in turns[-1].parts):
        return False
    called = next((turn for turn in reversed(turns) if turn.role == "assistant"), None)
    return called is not None and not any(
        isinstance(part, Reasoning) and part.wire == "anthropic" for part in called.parts
    )


def _claude(wanted: Thinking, fields: Fields, losses: Losses, limits: Limits) -> Effort | None:
    if not wanted.enabled:
        fields["thinking"] = {"type": "disabled"}
        return None
    adaptive = limits.traits.thinks == "adaptive" and wanted.budget_tokens is None
    thinking: Fields = {"type": "adaptive"}
    if not adaptive:
        budget_tokens = wanted.budget_tokens or BUDGETS_TOKENS[wanted.effort or "medium"]
        if limits.ceiling_tokens is not None:
            half_tokens = max(LEAST_BUDGET_TOKENS, limits.ceiling_tokens // 2)
            most_tokens = limits.ceiling_tokens - 1
            if wanted.budget_tokens is None:
                budget_tokens = min(budget_tokens, half_tokens)
            budget_tokens = min(budget_tokens, most_tokens)
        if budget_tokens < LEAST_BUDGET_TOKENS:
            losses.lose("thinking")  # there is no room to think in
            return None
        thinking = {"type": "enabled", "budget_tokens": budget_tokens}
    if wanted.shown is False:
        thinking["display"] = "omitted"
    fields["thinking"] = thinking
    return _nearest(wanted.effort) if adaptive else None


def _nearest(effort: Effort | None) -> Effort | None:
    """The nearest of the efforts that Converse and OpenAI's models there know."""
    return "low" if effort == "minimal" else effort


def _of_three(effort: Effort | None) -> Effort:
    """The nearest of low, medium and high; medium where the caller leaves it to the model."""
    return "medium" if effort is None else _NEAREST_OF_THREE.get(effort, effort)
