"""What a model on Bedrock takes beyond what Converse itself has words for, told by its id.

Converse passes a model's own parameters through (`additionalModelRequestFields`) and refuses those
that the model does not know, so each family has its row. A model that no row knows (an inference
profile's or a provisioned throughput's ARN says nothing) gets what is Converse's own.
"""

import re
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.conversation import Wire
from tidegate.providers._anthropic_models import takes_system_turns

# How a family is told to think. `budget`: by tokens. `adaptive`: as much as it finds right, under
# Converse's own effort. `nova`, `openai`, `flat`: by effort, each in a member of its own.
Thinks = Literal["converse", "adaptive", "budget", "nova", "openai", "flat"]


class Traits(Struct, frozen=True):
    """`top_k` is the path of that parameter. `marks_errors`: a tool's result can be said to have
    failed. `one_call`: it can be kept to one tool at a time. `system_turns`: an instruction may
    stand in the middle of its conversation. `seals`: whose reasoning is signed or sealed by it."""

    thinks: Thinks | None = None
    top_k: tuple[str, ...] = ()
    caches: bool = False
    marks_errors: bool = False
    one_call: bool = False
    system_turns: bool = False
    seals: Wire = "bedrock"


_OLD_CLAUDE: Final = Traits(None, ("top_k",), caches=True, marks_errors=True, seals="anthropic")
_CLAUDE: Final = replace(_OLD_CLAUDE, thinks="adaptive", one_call=True)
_NOVA: Final = replace(_OLD_CLAUDE, top_k=("inferenceConfig", "topK"), seals="bedrock")
_ROWS: Final[tuple[tuple[re.Pattern[str], Traits], ...]] = tuple(
    (re.compile(rf"([a-z-]+\.)?({pattern})"), traits)
    for pattern, traits in (
        (r"anthropic\.claude-(v|instant|3-(?!7))", _OLD_CLAUDE),
        (
            r"anthropic\.claude-(3-7|(opus|sonnet)-4-(2|1-))",
            replace(_OLD_CLAUDE, thinks="budget"),
        ),
        (r"anthropic\.claude-\w+-4-5", replace(_CLAUDE, thinks="budget")),
        (r"anthropic\.", _CLAUDE),
        (r"amazon\.nova-2", replace(_NOVA, thinks="nova")),
        (r"amazon\.nova", _NOVA),
        (r"openai\.gpt-oss|moonshot(ai)?\.", Traits("flat")),
        (r"openai\.", Traits("openai")),
        (r"mistral\.", Traits(None, ("top_k",))),
        (r"cohere\.", Traits(None, ("k",))),
        (r"(ai21|amazon|deepseek|google|meta|minimax|nvidia|qwen|writer|zai)\.", Traits()),
    )
)
# Most of those that only an ARN names are Claude.
_UNKNOWN: Final = Traits("converse", caches=True, marks_errors=True, seals="anthropic")


def traits_of(model: str) -> Traits:
    """What is known of `model`: an id with or without its region (`eu.`, `global.`), or an ARN."""
    name = model.rpartition("/")[2]
    for pattern, traits in _ROWS:
        if pattern.match(name):
            if traits is _CLAUDE and takes_system_turns(name):
                return replace(traits, system_turns=True)
            return traits
    return _UNKNOWN
