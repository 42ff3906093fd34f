"""Synthetic requests to a target: what is asked how often, and what a good answer is. Defaults are
those of the plan file."""

from typing import Final, Literal

from msgspec import Struct

# What a receipt of a probe has as its purpose, and no key.
PROBE: Final = "probe"
# The same of a copy of somebody's request, whose answer nobody gets.
SHADOW: Final = "shadow"
# The gateway's own requests, by purpose: no budget, objective or sum of anybody counts them.
OWN: Final = (PROBE, SHADOW)
PROMPT: Final = "Answer with the one word: ready"
# So much is enough for that, and for a model that thinks before it says it.
OUTPUT_TOKENS: Final = 16
THINKING_OUTPUT_TOKENS: Final = 1024
LEAST_EVERY_S: Final = 1.0


class Expect(Struct, frozen=True, omit_defaults=True):
    """What the answer to a probe must be. `contains` ignores case."""

    contains: str | None = None
    regex: str | None = None
    json: bool = False
    json_schema: str | None = None
    max_length: int | None = None


class Probe(Struct, frozen=True, omit_defaults=True):
    """How one target is probed, each replica of it with each credential by itself.

    Each gateway process may spend `nanousd_per_hour` on the target's probes. `expect` None: any
    answer will do that has something in it.
    """

    every_s: float = 60.0
    timeout_s: float = 10.0
    endpoint: Literal["chat", "embeddings"] = "chat"
    prompt: str = PROMPT
    system: str | None = None
    max_tokens: int = OUTPUT_TOKENS
    nanousd_per_hour: int = 100_000_000
    expect: Expect | None = None
