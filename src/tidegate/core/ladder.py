"""A route's degradation ladder: what serves a request for which the route itself is not to be had,
one rung after another. Plan data; each rung says all that it changes.
"""

from typing import Final, Literal, get_args

from msgspec import Struct

from tidegate.core.prompt import RoutePrompt
from tidegate.core.secret import SecretRef

# What a rung does: it asks a model, gives a kept answer or one that is made up here, or refuses all
# but batch work.
RungKind = Literal["model", "stale", "batch_only", "handover", "apology"]
# How an attempt came to nothing. A timeout is `unavailable` too.
FailureWord = Literal[
    "unavailable", "timeout", "rate_limited", "overflow", "malformed", "refused_by_safety"
]
# What was bad about an answer of which nothing had been passed on. `invalid` broke its contract.
QualityWord = Literal["invalid", "empty", "truncated", "refused"]
# What led to a rung. Of the first three nobody was asked before.
RungReason = Literal[
    "floor",
    "pressure",
    "budget",
    "slow_first_token",
    "slow_answer",
    "invalid",
    "empty",
    "truncated",
    "refused",
    "unavailable",
    "timeout",
    "rate_limited",
    "overflow",
    "malformed",
    "refused_by_safety",
]
FAILURES: Final[tuple[FailureWord, ...]] = get_args(FailureWord)
QUALITIES: Final[tuple[QualityWord, ...]] = get_args(QualityWord)
# Answers that no model has made for anybody: nobody was served.
MADE_UP: Final[frozenset[str | None]] = frozenset({"handover", "apology"})
# No doing of the release that the request was meant for.
BEFORE: Final[frozenset[str | None]] = frozenset({"floor", "pressure", "budget"})
MAX_RUNGS: Final = 16


class When(Struct, frozen=True, omit_defaults=True):
    """What leads to a rung; any of it does. With nothing only the lever `ladder_floor` does.

    `budget_percent`: so much of a budget that degrades is spent or held, or what is asked does not
    fit into it. `forecast_percent`: so much of one will be at the end of its period, at the pace so
    far. Seconds count from the request's arrival: of a stream to its first token, of a
    whole answer to its end. `pressure`: requests of this priority are shed.
    """

    failures: tuple[FailureWord, ...] = ()
    budget_percent: int | None = None
    slow_first_token_s: float | None = None
    slow_answer_s: float | None = None
    quality: tuple[QualityWord, ...] = ()
    pressure: bool = False
    forecast_percent: int | None = None

    @property
    def words(self) -> frozenset[RungReason]:
        """All that it answers."""
        found: set[RungReason] = {*self.failures, *self.quality}
        if self.budget_percent is not None or self.forecast_percent is not None:
            found.add("budget")
        if self.slow_first_token_s is not None:
            found.add("slow_first_token")
        if self.slow_answer_s is not None:
            found.add("slow_answer")
        if self.pressure:
            found.add("pressure")
        return frozenset(found)


class History(Struct, frozen=True, omit_defaults=True):
    """How a conversation is made smaller, by rule. A turn is what a user says with all that follows
    it, tools included; the system prompt and the last turn stay whatever else goes.

    Of the turns the first `keep_first` and the last `keep_last` (None: all) stay, then the oldest
    of the others go until about `max_tokens` are left. `drops_tool_results`: what tools have said
    and the model has answered to is left out. `squeezes`: white space that tells nothing goes.
    """

    keep_first: int = 0
    keep_last: int | None = None
    max_tokens: int | None = None
    drops_tool_results: bool = False
    squeezes: bool = False


class Handover(Struct, frozen=True, omit_defaults=True):
    """Who is told that a person is wanted: the address, the token that it wants (a reference), and
    whether it gets the conversation too."""

    url: str
    token: SecretRef | None = None
    conversation: bool = False
    ca_file: str | None = None


class Rung(Struct, frozen=True, omit_defaults=True):
    """One rung: another request in the place of the caller's, or an answer that no model makes.

    `target` is the name of one of the route's `rung_targets`; without it the route's own are asked.
    `system_prompt` and `prompt` stand in the place of the route's. Of a kept answer `stale_s` is
    how much older than fresh it may be. `text` is what a caller is told by whom nobody was asked.
    """

    name: str
    kind: RungKind = "model"
    when: When = When()
    max_output_tokens: int | None = None
    target: str | None = None
    system_prompt: str | None = None
    prompt: RoutePrompt | None = None
    history: History | None = None
    stale_s: float = 0.0
    handover: Handover | None = None
    text: str = ""

    @property
    def changes(self) -> tuple[object, ...]:
        """What it does, whatever leads there."""
        asked = self.max_output_tokens, self.target, self.system_prompt, self.prompt, self.history
        return (self.kind, *asked, self.stale_s, self.handover, self.text)
