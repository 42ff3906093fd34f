"""What goes wrong in the bench of resilience: each case, and what its provider then does.

Every case has two providers that would serve the same answer: a primary, to which its fault
happens, and a secondary that is well. A bare client knows the primary alone.
"""

from dataclasses import dataclass
from typing import Final, Literal

# An answer: so many tokens, the first after FIRST_S, each other GAP_S after the one before it.
TOKENS: Final = 20
PROMPT_TOKENS: Final = 200
FIRST_S: Final = 0.05
GAP_S: Final = 0.01
# After so many tokens a stream falls silent, or is cut.
KEPT_TOKENS: Final = 8
RETRY_AFTER_S: Final = 3
SLOWNESS: Final = 10
KEYS: Final = ("sk-good-1", "sk-revoked-1", "sk-good-2", "sk-revoked-2")
REVOKED: Final = frozenset({"sk-revoked-1", "sk-revoked-2"})

# How long whoever talks to a provider waits for it, in seconds, whoever that is.
CONNECT_S: Final = 1.0
FIRST_TOKEN_S: Final = 1.0
SILENCE_S: Final = 1.0
WHOLE_S: Final = 4.0

Shape = Literal["fallback", "keys", "pool"]


@dataclass(frozen=True)
class Case:
    """`share` of the primary's answers are as the fault says. `shape` is how the targets stand to
    each other: a fallback, several credentials of the primary, or a pool in which both share."""

    name: str
    title: str
    share: float = 1.0
    streams_only: bool = False
    shape: Shape = "fallback"


CASES: Final = (
    Case("healthy", "nothing is wrong", share=0.0),
    Case("dead", "provider dead: connections are refused"),
    Case("silent", "silent before headers"),
    Case("stall", f"silent in the stream, after {KEPT_TOKENS} tokens", streams_only=True),
    Case("cut", f"cut after {KEPT_TOKENS} tokens", streams_only=True),
    Case("told", f"throttled: 429, `Retry-After: {RETRY_AFTER_S}`"),
    Case("untold", "throttled: 429 without `Retry-After`"),
    Case("storm", "5xx storm: every answer"),
    Case("partial", "5xx storm: three answers in ten", share=0.3),
    Case("revoked", "half of the credentials revoked", shape="keys"),
    Case("slow", f"slow by {SLOWNESS}x", shape="pool"),
)
BY_NAME: Final = {case.name: case for case in CASES}
WORDS: Final = tuple(f"w{number} " for number in range(TOKENS))
ANSWER: Final = "".join(WORDS)
