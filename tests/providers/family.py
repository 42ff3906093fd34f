"""Which provider plugs speak in a way of their own, and which differ from OpenAI's in address and
manners alone. Of the second kind each is shown once, in test_family.py; the suites that try every
byte take the first."""

from typing import Final

from tests.providers.chatting import CHATTING

from tidegate.core import plugs
from tidegate.providers.openai_compatible import Anything, OpenAICompatible

_DATA: Final = frozenset(
    {
        "base_url",
        "hosted",
        "endpoints",
        "manners",
        "one_ceiling",
        "adapters",
        "address_form",
        "model_form",
        "batches",
        "media",
    }
)


def _is_alike(name: str) -> bool:
    kind = type(plugs.load("providers", name))
    own = {member for member in vars(kind) if not member.startswith("__")}
    return kind.__base__ in (OpenAICompatible, Anything) and own <= _DATA


# The house's own engine is tried like a stranger's, and one stands for all.
_TRIED: Final = ("sim", "openai_compatible")
ALIKE: Final = tuple(name for name in CHATTING if name not in _TRIED and _is_alike(name))
# What each declares to serve, by the file in providers/.
SERVED: Final = {name: plugs.load("providers", name).endpoints for name in plugs.names("providers")}
# Their readers are another's, whose bytes are cut at every place.
READ_AS_ANOTHER: Final = ("openrouter", "perplexity")
CODECS: Final = tuple(name for name in CHATTING if name not in ALIKE)
