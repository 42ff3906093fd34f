"""promptfoo's types of assertions that are not made here, each with why."""

from collections.abc import Mapping
from typing import Final

_CODE = "it is code, which is not executed"
_TRACES = "it reads traces of an agent"
_SERVICE = "it asks a service of its own"
UNSUPPORTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("javascript", "python", "ruby"), _CODE),
    "webhook": "it is somebody's address, which is not called",
    **dict.fromkeys(("classifier", "moderation", "pi", "guardrails", "search-rubric"), _SERVICE),
    **dict.fromkeys(("perplexity", "perplexity-score"), "it reads the probabilities of tokens"),
    **dict.fromkeys(("is-sql", "contains-sql"), "there is no reader of SQL"),
    **dict.fromkeys(("gleu", "meteor"), "there is no such measure; `bleu` and `rouge-n` are there"),
    **dict.fromkeys(("trace-span-count", "trace-span-duration", "trace-error-spans"), _TRACES),
    **{
        f"trajectory:{what}": _TRACES
        for what in ("tool-used", "tool-args-match", "tool-sequence", "step-count", "goal-success")
    },
    "skill-used": _TRACES,
    **dict.fromkeys(("agent-rubric", "conversation-relevance"), _SERVICE),
    "max-score": "it compares the answers of several prompts with each other",
    "human": "it asks a person",
}
