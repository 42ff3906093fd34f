"""guard_fields: which members of a request hold texts, in whichever wire.

All do of which nothing else is known: what nobody here has heard of may be what a model is shown.
"""

from typing import Any, Final

from msgspec import Raw

from tidegate.core.outcome import Refusal
from tidegate.gateway.guard_texts import Clean, cleaned, defined, everywhere, tools

# Whose a request is, where it goes, what it goes on from, and words of an API that say how.
_LEFT: Final = frozenset(
    {"model", "models", "user", "safety_identifier", "prompt_cache_key", "cache_salt"}
    | {"previous_response_id", "conversation", "request_id", "session_id", "container"}
    | {"mcp_servers", "kv_transfer_params", "voice", "audio", "image", "mask", "betas"}
    | {"stream_options", "service_tier", "tool_choice", "function_call", "reasoning", "thinking"}
    | {"reasoning_effort", "verbosity", "truncation", "include", "modalities", "logit_bias"}
    | {"encoding_format", "input_type", "size", "quality", "background", "style", "moderation"}
    | {"stream_format", "prompt_cache_retention", "timestamp_granularities", "language"}
)
_TOOLS: Final = frozenset({"tools", "functions"})
# The form that an answer is to have, which models are shown.
_FORMS: Final = frozenset(
    {"response_format", "text", "output_config", "output_format", "json_schema", "guided_json"}
    | {"structured_outputs", "guided_choice", "guided_regex", "guided_grammar", "regex", "ebnf"}
)
# Anybody's own members.
_OPEN: Final = frozenset({"documents", "metadata", "chat_template_kwargs"})
# What a model is shown without that anybody here could read it: numbers of tokens, and templates
# that make another text of all the others.
UNREAD: Final = frozenset(
    {"chat_template", "input_ids", "input_embeds", "prompt_embeds", "prompt_token_ids"}
)
_USER_ID: Final = "user_id"
_OPENING: Final = frozenset(b'"[{')
_BETWEEN: Final = ",\n"
_NAMED: Final = (
    "`{}` has a name that holds what a guardrail takes out, and names stay what they are: change it"
)


def holds_text(name: str, raw: Raw) -> bool:
    """Whether texts may stand in that member."""
    return memoryview(raw)[0] in _OPENING and name not in _LEFT


def of_member(name: str, value: Any, clean: Clean) -> Any:
    """Its value with each text as `clean` has it; the same object where none is another. Refusal
    where that is a name."""
    names: list[str] = []
    if name in _TOOLS:
        made = tools(value, clean, names)
    elif name in _FORMS:
        made = defined(value, clean, names)
    elif name in _OPEN:
        made = _open(value, clean)
    elif name == "prompt" and isinstance(value, dict):
        made = _prompt(value, clean)
    else:
        made = cleaned(value, clean)
        if name == "messages" and isinstance(value, list):
            names = [it["name"] for it in value if _is_named(it)]
    if names and clean(together := _BETWEEN.join(names)) != together:
        raise Refusal("guardrail_blocked", _NAMED.format(name), param=name)
    return made


def _open(value: Any, clean: Clean) -> Any:
    if not isinstance(value, dict) or _USER_ID not in value:
        return everywhere(value, clean)
    rest = {name: it for name, it in value.items() if name != _USER_ID}
    made = everywhere(rest, clean)
    return value if made is rest else {_USER_ID: value[_USER_ID], **made}


def _prompt(value: dict[str, Any], clean: Clean) -> Any:
    """A stored prompt, or one of the plan's: what its caller fills in."""
    if not isinstance(value.get("variables"), dict):
        return cleaned(value, clean)
    made = everywhere(value["variables"], clean)
    return value if made is value["variables"] else {**value, "variables": made}


def _is_named(message: Any) -> bool:
    """What a participant is called, of a message; functions have names of their caller's code."""
    if not isinstance(message, dict) or not isinstance(message.get("name"), str):
        return False
    return message.get("role") not in ("tool", "function")
