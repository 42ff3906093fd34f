"""The answer ended for one of the reasons that are asked, in whichever dialect's word."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tidegate.core.grading import Answered, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._plain import Plain, passed

# Other dialects' words, by those of OpenAI's chat completions.
_SAME: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "safety": "content_filter",
    "refusal": "content_filter",
    "guardrail_intervened": "content_filter",
}


class Options(Struct, frozen=True):
    """`any` of these, such as `stop`, `length`, `tool_calls`, `content_filter`."""

    any: tuple[str, ...]


def _common(reason: str) -> str:
    reason = reason.strip().lower()
    return _SAME.get(reason, reason)


def _mark(case: Case, answered: Answered, options: Options) -> Grade:
    if answered.finish_reason is None:
        return Grade("error", why="nobody knows why it ended")
    found = _common(answered.finish_reason)
    ok = found in map(_common, options.any)
    return passed(ok, f"it ended with {quoted(found)}")


def _also_wrong(options: Options) -> str | None:
    return None if options.any else "`any` is an empty list"


plug = Plain(Options, _mark, _also_wrong, reads_text=False)
