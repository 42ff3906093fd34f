"""How much a model on Bedrock is to think: in Converse's own effort, or in the family's words."""

from typing import Any, Final, NamedTuple

from tidegate.core.conversation import Conversation, Effort, Thinking
from tidegate.core.losses import Losses
from tidegate.providers._anthropic_models import always_thinks, takes_budgets
from tidegate.providers._bedrock_models import Traits
from tidegate.providers._claude import (
    LEAST_BUDGET_TOKENS,
    budget_tokens,
    lacks_thoughts,
    must_call,
)
from tidegate.providers._effort import effort_of

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
        return _claude(said, wanted, fields, losses, limits)
    enabled = wanted.enabled is not False
    if wanted.budget_tokens is not None:
        losses.lose("budget_tokens")
    if thinks == "converse":
        return _nearest(wanted.effort) if enabled else None
    if thinks == "openai":
        effort = _nearest(wanted.effort) if enabled else "none"
        if effort is not None:
            fields["reasoning"] = {"effort": effort}
    elif thinks == "nova":
        fields["reasoningConfig"] = (
            {"type": "enabled", "maxReasoningEffort": _of_three(wanted.effort)}
            if enabled
            else {"type": "disabled"}
        )
    elif thinks == "flat" and enabled:
        fields["reasoning_effort"] = _of_three(wanted.effort)
    elif enabled or thinks == "flat":
        losses.lose("thinking")
    return None


def _claude(
    said: Conversation, wanted: Thinking, fields: Fields, losses: Losses, limits: Limits
) -> Effort | None:
    traits = limits.traits
    if wanted.enabled is False:
        if always_thinks(traits.claude):
            losses.note("thinking")
        else:
            fields["thinking"] = {"type": "disabled"}
    if not wanted.enabled:
        if wanted.effort is not None and traits.thinks != "adaptive":
            losses.lose("effort")
            return None
        return _nearest(wanted.effort)
    if must_call(said):
        losses.lose("thinking")  # a model that must call a tool may not think
        return None
    by_effort = traits.thinks == "adaptive" and wanted.budget_tokens is None
    adaptive = by_effort or not takes_budgets(traits.claude)
    thinking: Fields = {"type": "adaptive"}
    if not adaptive:
        if lacks_thoughts(said):
            losses.note("thinking")
            return None
        tokens = budget_tokens(wanted, limits.ceiling_tokens)
        if tokens < LEAST_BUDGET_TOKENS:
            losses.lose("thinking")  # there is no room to think in
            return None
        thinking = {"type": "enabled", "budget_tokens": tokens}
    if wanted.shown is False:
        thinking["display"] = "omitted"
    fields["thinking"] = thinking
    if traits.thinks == "adaptive":
        return _nearest(effort_of(wanted) if adaptive else wanted.effort)
    if wanted.budget_tokens is not None and wanted.effort is not None:
        losses.note("effort")  # the budget goes before it
    return None


def _nearest(effort: Effort | None) -> Effort | None:
    """The nearest of the efforts that Converse and OpenAI's models there know."""
    return "low" if effort == "minimal" else effort


def _of_three(effort: Effort | None) -> Effort:
    """The nearest of low, medium and high; medium where the caller leaves it to the model."""
    return "medium" if effort is None else _NEAREST_OF_THREE.get(effort, effort)
