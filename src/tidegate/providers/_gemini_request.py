"""A conversation as the body of Gemini's `generateContent` and `streamGenerateContent`."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core.conversation import Conversation, Effort, Output, Thinking, Tool
from tidegate.core.losses import Losses
from tidegate.providers._gemini_contents import Block, Contents
from tidegate.providers._tier import tier_of

_MODES: Final = {"auto": "AUTO", "none": "NONE", "any": "ANY", "named": "ANY"}
_LEVELS: Final[dict[Effort, str]] = {
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "XHIGH",
    "max": "XHIGH",
}
# What Google's own OpenAI-compatible API takes an effort for, with models that have budgets.
_BUDGETS_TOKENS: Final[dict[Effort, int]] = {
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 24_576,
    "max": 24_576,
}
_BY_BUDGET: Final = "gemini-2"
_ALWAYS_THINKS: Final = "gemini-2.5-pro"
LEAST_BUDGET_TOKENS: Final = 128
# The most that these may be told is HIGH.
_TO_HIGH: Final = ("gemini-3-", "gemini-3.1-")
_TIERS: Final = {
    "default": "standard",
    "standard": "standard",
    "standard_only": "standard",
    "flex": "flex",
    "priority": "priority",
}
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode


def body_of(
    said: Conversation, ceiling_tokens: int | None, model: str, losses: Losses
) -> dict[str, Any]:
    """The whole body; `ceiling_tokens` is the most of each candidate. Refusal (core.losses)."""
    written = Contents(said, model, losses)
    members = {
        "contents": written.contents,
        "systemInstruction": {"parts": written.instructions} if written.instructions else None,
        "tools": _tools(said.tools, losses),
        "toolConfig": _tool_config(said),
        "generationConfig": _generation(said, ceiling_tokens, model, losses),
        "serviceTier": tier_of(said, _TIERS, losses),
    }
    _lose_the_rest(said, losses)
    return {name: value for name, value in members.items() if value}


def _tools(tools: list[Tool], losses: Losses) -> list[Block]:
    declared: list[Block] = []
    for tool in tools:
        if tool.cache is not None:
            losses.lose("cache")
        function: Block = {"name": tool.name}
        if tool.description:
            function["description"] = tool.description
        if tool.schema is not None:
            function["parametersJsonSchema"] = tool.schema
        declared.append(function)
    return [{"functionDeclarations": declared}] if declared else []


def _tool_config(said: Conversation) -> Block:
    """One mode is for all tools: VALIDATED keeps the calls of all to their schemas, where the
    caller wants that of one. A call that must be made is kept to its schema anyway."""
    choice = said.tool_choice
    mode = None if choice is None else _MODES[choice.mode]
    if mode in (None, "AUTO") and any(tool.strict for tool in said.tools):
        mode = "VALIDATED"
    if mode is None:
        return {}
    config: Block = {"mode": mode}
    if choice is not None and choice.mode == "named":
        config["allowedFunctionNames"] = [choice.name]
    return {"functionCallingConfig": config}


def _generation(
    said: Conversation, ceiling_tokens: int | None, model: str, losses: Losses
) -> Block:
    output = said.output
    members = {
        "maxOutputTokens": ceiling_tokens,
        "temperature": said.temperature,
        "topP": said.top_p,
        "topK": said.top_k,
        "presencePenalty": said.presence_penalty,
        "frequencyPenalty": said.frequency_penalty,
        "stopSequences": [one for one in said.stop if one] or None,
        "seed": said.seed,
        "candidateCount": said.choices if said.choices > 1 else None,
        "responseMimeType": None if output is None else "application/json",
        "responseJsonSchema": None if output is None else _schema(output),
        "thinkingConfig": None if said.thinking is None else _think(said.thinking, model, losses),
    }
    return {name: value for name, value in members.items() if value is not None}


def _schema(output: Output) -> Raw | None:
    """The schema, with what the answer is for where the caller says it beside the schema."""
    if output.schema is None or not output.description:
        return output.schema
    try:
        members = _members(output.schema)
    except msgspec.DecodeError:
        return output.schema  # `true` is a schema as well
    members.setdefault("description", Raw(_encode(output.description)))
    return Raw(_encode(members))


def _think(wanted: Thinking, model: str, losses: Losses) -> Block:
    """A budget or a level, never both: Gemini refuses that. Without either the model decides."""
    name = model.rpartition("/")[2]
    by_budget = name.startswith(_BY_BUDGET)
    if wanted.enabled is False:
        if by_budget and not name.startswith(_ALWAYS_THINKS):
            return {"thinkingBudget": 0}
        losses.note("thinking")  # it thinks in any case: as little as it can
        return {"thinkingBudget": LEAST_BUDGET_TOKENS} if by_budget else {"thinkingLevel": "LOW"}
    config: Block = {"includeThoughts": wanted.shown is not False}
    if wanted.budget_tokens is not None:
        config["thinkingBudget"] = wanted.budget_tokens
        if wanted.effort is not None:
            losses.lose("effort")
    elif wanted.effort is None:
        if by_budget:
            config["thinkingBudget"] = -1
    elif by_budget:
        config["thinkingBudget"] = _BUDGETS_TOKENS[wanted.effort]
    else:
        level = _LEVELS[wanted.effort]
        config["thinkingLevel"] = (
            "HIGH" if level == "XHIGH" and name.startswith(_TO_HIGH) else level
        )
    return config


def _lose_the_rest(said: Conversation, losses: Losses) -> None:
    if said.end_user is not None:
        losses.lose("end_user")
    if said.metadata:
        losses.lose("metadata")
    if said.cache is not None:
        losses.lose("cache")
    if said.parallel_tools is False:
        losses.lose("parallel_tools")
    losses.lose_unread()
